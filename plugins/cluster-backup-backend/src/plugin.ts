import {
  coreServices,
  createBackendPlugin,
} from '@backstage/backend-plugin-api';
import { metricsServiceRef } from '@backstage/backend-plugin-api/alpha';
import { catalogServiceRef } from '@backstage/plugin-catalog-node';
import { notificationService } from '@backstage/plugin-notifications-node';
import {
  clusterBackupStoreTypesExtensionPoint,
  StoreType,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { readConfiguration } from '@cluster-backup/engine';
import { ClusterAuthority } from './authorization/ClusterAuthority';
import { registerClusterRules } from './authorization/clusterRules';
import { Ownership } from './authorization/Ownership';
import { pinnedOwners } from './authorization/pinnedOwners';
import { watchOwners } from './authorization/watchOwners';
import { ClusterOwners } from './database/ClusterOwners';
import { ClusterSchedules } from './database/ClusterSchedules';
import { DatabaseBackupRecordStore } from './database/DatabaseBackupRecordStore';
import { DatabaseOperationStore } from './database/DatabaseOperationStore';
import { KnownProtection } from './database/KnownProtection';
import { Measures } from './database/Measures';
import { openDatabase } from './database/openDatabase';
import { RecipientProofs } from './database/RecipientProofs';
import { RetentionRecords } from './database/RetentionRecords';
import { RestoreRequestStore } from './database/RestoreRequestStore';
import { StoreIdentities } from './database/StoreIdentities';
import { auditEndings } from './operations/auditEndings';
import { checkInTurn } from './operations/checkInTurn';
import { ClusterOperations } from './operations/ClusterOperations';
import { ConfiguredClusters } from './operations/ConfiguredClusters';
import { readLimits } from './operations/limits';
import { tendKeptData } from './operations/keptData';
import { ownersNotifier } from './operations/notifyOwners';
import { portalsOwnClusters } from './operations/portalsOwnCluster';
import { OperationWorker } from './operations/OperationWorker';
import { readProtection, requestsExpireAfter } from './operations/protection';
import { recallRestores } from './operations/recallRestores';
import { RestoreRequests } from './operations/RestoreRequests';
import { tendStores } from './operations/tendStores';
import { verifyInTurn } from './operations/verifyInTurn';
import { measureProtection } from './protection/measureProtection';
import { watchProtection } from './protection/watchProtection';
import { pruneBackups } from './retention/pruneBackups';
import { scheduleBackups } from './schedules/scheduleBackups';
import { createRouter } from './service/createRouter';
import { supportLink } from './service/supportLink';
import { storeTypeCollection } from './storeTypeCollection';

/**
 * Backs up and restores the control planes of clusters in the catalog.
 *
 * @public
 */
export const clusterBackupPlugin = createBackendPlugin({
  pluginId: 'cluster-backup',
  register(env) {
    const storeTypes: StoreType[] = [];
    env.registerExtensionPoint(
      clusterBackupStoreTypesExtensionPoint,
      storeTypeCollection(storeTypes),
    );
    env.registerInit({
      deps: {
        auditor: coreServices.auditor,
        auth: coreServices.auth,
        catalog: catalogServiceRef,
        config: coreServices.rootConfig,
        database: coreServices.database,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        lifecycle: coreServices.lifecycle,
        logger: coreServices.logger,
        metrics: metricsServiceRef,
        notifications: notificationService,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        scheduler: coreServices.scheduler,
        userInfo: coreServices.userInfo,
      },
      async init(deps) {
        const { config, logger, lifecycle } = deps;
        const requireOwnership =
          config.getOptionalBoolean('clusterBackup.requireOwnership') ?? true;

        const knex = await openDatabase(deps.database);
        const operations = new DatabaseOperationStore(knex);
        const backups = new DatabaseBackupRecordStore(knex);
        const clusters = new ConfiguredClusters({
          configuration: readConfiguration(
            config.getOptional('clusterBackup') ?? {},
            { folder: process.cwd(), origin: 'of the portal' },
          ),
          storeTypes,
          backups,
          limits: readLimits(config),
        });
        const record = new ClusterOwners(knex);
        const pinned = pinnedOwners(config);
        const ownership = new Ownership({ ...deps, record, pinned });
        const worker = new OperationWorker({
          store: operations,
          jobOf: claim => clusters.jobOf(claim),
          lookAt: async operation => clusters.lookJob(operation),
          logger,
        });

        const portalsOwn = await portalsOwnClusters(
          config.getOptionalStringArray('clusterBackup.portalClusters') ?? [],
        );
        const protectionOf = readProtection(config);
        const restoreRequests = new RestoreRequests({
          clusters,
          operations,
          backups,
          requests: new RestoreRequestStore(knex),
          worker,
          portalsOwn,
          protectionOf,
          expireInMs: requestsExpireAfter(config),
        });
        const clusterOperations = new ClusterOperations({
          clusters,
          operations,
          backups,
          restoreRequests,
          worker,
          logger,
          portalsOwn,
        });

        const retention = new RetentionRecords(knex);
        const schedules = new ClusterSchedules(knex);
        const recipientProofs = new RecipientProofs(knex);
        const notifyOwners = ownersNotifier({ ...deps, ownership });

        registerClusterRules(deps);
        deps.httpRouter.use(
          createRouter({
            httpAuth: deps.httpAuth,
            authority: new ClusterAuthority({
              ...deps,
              ownership,
              requireOwnership,
              emergencyApprovers:
                config.getOptionalStringArray(
                  'clusterBackup.restoreRequests.emergencyApprovers',
                ) ?? [],
            }),
            clusters,
            operations,
            backups,
            retention,
            schedules,
            recipientProofs,
            clusterOperations,
            restoreRequests,
            notifyOwners,
            portalsOwn,
            protectionOf,
            supportLink: supportLink(config),
          }),
        );
        const { clusterRefs } = clusters;
        await watchOwners({ ...deps, ownership, record, clusterRefs });
        await verifyInTurn({
          ...{ ...deps, operations, backups, clusterOperations },
        });
        await checkInTurn({ ...deps, clusters, operations, clusterOperations });
        await auditEndings({ ...deps, operations });
        await tendKeptData({ ...deps, clusters });
        await scheduleBackups({
          ...{ ...deps, clusters, schedules, protectionOf },
          wake: () => worker.wake(),
        });
        const identities = new StoreIdentities(knex);
        await watchProtection({
          ...{ ...deps, clusters, operations, backups, protectionOf },
          recipientProofs,
          known: new KnownProtection(knex),
          notifyOwners,
        });
        measureProtection({
          ...{ ...deps, clusters, protectionOf },
          measures: new Measures(knex),
        });
        await pruneBackups({ ...deps, clusters, retention });
        await recallRestores({ ...deps, clusters, operations });
        await tendStores({ ...deps, clusters, backups, identities });
        lifecycle.addStartupHook(() => worker.start());
        lifecycle.addShutdownHook(() => worker.stop());
      },
    });
  },
});
