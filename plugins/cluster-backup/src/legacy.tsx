/**
 * The Backup tab of clusters, for apps of `@backstage/core-plugin-api`.
 *
 * @packageDocumentation
 */
import {
  createApiFactory,
  createPlugin,
  createRoutableExtension,
  createRouteRef,
  discoveryApiRef,
  fetchApiRef,
} from '@backstage/core-plugin-api';
import {
  ClusterBackupClient,
  isClusterEntity,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from './api/clusterBackupApiRef';

const rootRouteRef = createRouteRef({ id: 'cluster-backup' });

/**
 * The plugin of the Backup tab.
 *
 * @public
 */
export const clusterBackupPlugin = createPlugin({
  id: 'cluster-backup',
  routes: { root: rootRouteRef },
  apis: [
    createApiFactory({
      api: clusterBackupApiRef,
      deps: { discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
      factory: options => new ClusterBackupClient(options),
    }),
  ],
});

/**
 * The Backup tab of a cluster's entity page.
 *
 * @public
 */
export const EntityClusterBackupContent = clusterBackupPlugin.provide(
  createRoutableExtension({
    name: 'EntityClusterBackupContent',
    component: () =>
      import('./components/ClusterBackupContent').then(
        m => m.ClusterBackupContent,
      ),
    mountPoint: rootRouteRef,
  }),
);

/**
 * Whether an entity has a Backup tab.
 *
 * @public
 */
export const isClusterBackupAvailable = isClusterEntity;
