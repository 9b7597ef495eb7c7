import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { clusterBackupStoreTypesExtensionPoint } from '@cluster-backup/backstage-plugin-cluster-backup-node';

/**
 * Adds the store type `s3`.
 *
 * @public
 */
export const clusterBackupModuleS3 = createBackendModule({
  pluginId: 'cluster-backup',
  moduleId: 's3',
  register(env) {
    env.registerInit({
      deps: {
        config: coreServices.rootConfig,
        storeTypes: clusterBackupStoreTypesExtensionPoint,
      },
      async init({ config, storeTypes }) {
        storeTypes.addStoreType({
          type: 's3',
          modulePath: require.resolve(
            '@cluster-backup/backstage-plugin-cluster-backup-backend-module-s3/openStore',
          ),
          settings: { aws: config.getOptional('aws') },
        });
      },
    });
  },
});
