import { BackupCopy } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** How many copies of a backup are good. */
export function goodCopies(copies: BackupCopy[]): number {
  return copies.filter(({ state }) => state === 'good').length;
}
