export { backupCluster } from './backupCluster';
export type { BackupOptions, BackupResult } from './backupCluster';
