import {
  Backup,
  BackupPage,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** The records of archives; an operation's end writes them. */
export interface BackupRecordStore {
  get(id: string): Promise<Backup | undefined>;
  /** Newest first. */
  page(
    clusterRef: string,
    options: { limit: number; next?: string },
  ): Promise<BackupPage>;
}
