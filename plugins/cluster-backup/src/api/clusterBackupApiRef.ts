import { createApiRef } from '@backstage/frontend-plugin-api';
import { ClusterBackupApi } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/**
 * How the Backup tab asks the portal.
 *
 * @public
 */
export const clusterBackupApiRef = createApiRef<ClusterBackupApi>().with({
  id: 'plugin.cluster-backup.service',
  pluginId: 'cluster-backup',
});
