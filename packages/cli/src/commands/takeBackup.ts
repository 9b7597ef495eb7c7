import {
  backupCluster,
  BackupOptions,
  BackupResult,
  ClusterAccess,
  Configuration,
  StoreToOpen,
} from '@cluster-backup/engine';
import { openStore } from '../configuration';

/** Takes a backup as it is configured, into all stores where none are given. */
export async function takeBackup(
  configuration: Configuration,
  what: { name: string; cluster: ClusterAccess },
  options: Pick<
    BackupOptions,
    | 'occasion'
    | 'name'
    | 'progress'
    | 'signal'
    | 'proveContents'
    | 'withoutQuorum'
    | 'reason'
    | 'kept'
  > & { stores?: StoreToOpen[] },
): Promise<BackupResult> {
  const { stores = configuredStores(configuration, what.name) } = options;
  return backupCluster({
    ...configuration.packing(),
    ...options,
    stores,
    cluster: what.cluster,
    folder: configuration.folder(what.name),
    signingKey: await configuration.signingKey(),
  });
}

/** The stores of those ids; by default those that the cluster's backups go to. */
export function configuredStores(
  configuration: Configuration,
  name: string,
  ids?: string[],
): StoreToOpen[] {
  return configuration.backupStores(name, ids).map(store => ({
    id: store.id,
    open: () => openStore(store),
    spool: store.spool,
  }));
}
