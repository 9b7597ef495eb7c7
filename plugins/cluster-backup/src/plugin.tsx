import {
  ApiBlueprint,
  createFrontendPlugin,
  discoveryApiRef,
  fetchApiRef,
} from '@backstage/frontend-plugin-api';
import { EntityContentBlueprint } from '@backstage/plugin-catalog-react/alpha';
import {
  ClusterBackupClient,
  clusterEntityFilter,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RiSafe2Line } from '@remixicon/react';
import { clusterBackupApiRef } from './api/clusterBackupApiRef';

const clusterBackupApi = ApiBlueprint.make({
  params: defineParams =>
    defineParams({
      api: clusterBackupApiRef,
      deps: { discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
      factory: options => new ClusterBackupClient(options),
    }),
});

const clusterBackupEntityContent = EntityContentBlueprint.make({
  params: {
    path: 'backup',
    title: 'Backup',
    group: 'operation',
    icon: <RiSafe2Line />,
    filter: clusterEntityFilter,
    loader: () =>
      import('./components/ClusterBackupContent').then(m => (
        <m.ClusterBackupContent />
      )),
  },
});

/**
 * The Backup tab of clusters.
 *
 * @public
 */
export const clusterBackupPlugin = createFrontendPlugin({
  pluginId: 'cluster-backup',
  title: 'Cluster backup',
  icon: <RiSafe2Line />,
  info: { packageJson: () => import('../package.json') },
  extensions: [clusterBackupApi, clusterBackupEntityContent],
});
