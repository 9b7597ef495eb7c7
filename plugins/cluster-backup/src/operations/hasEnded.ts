import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** Whether nothing more will happen to it. */
export function hasEnded(operation: Operation): boolean {
  return !['queued', 'running', 'interrupted'].includes(operation.status);
}
