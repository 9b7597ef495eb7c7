import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { BackupRecordStore } from '../database/BackupRecordStore';

/**
 * A backup that is to be put back into a cluster.
 *
 * @throws ClusterBackupError `backup-unknown` where it is not one of this cluster
 */
export async function backupOfCluster(
  backups: BackupRecordStore,
  clusterRef: string,
  id: string,
): Promise<Backup> {
  const backup = await backups.get(id);
  if (backup?.clusterRef === clusterRef) return backup;
  throw new ClusterBackupError({
    code: 'backup-unknown',
    message: `There is no backup ${id} of ${clusterRef}.`,
    state: NOTHING_CHANGED,
    remedy: 'Choose a backup of this cluster.',
  });
}
