import {
  backupCluster,
  BackupOptions,
  BackupResult,
  ClusterAccess,
  Configuration,
} from '@cluster-backup/engine';
import { openStore } from '../configuration';

/** Takes a backup as it is configured, into one store or all of them. */
export async function takeBackup(
  configuration: Configuration,
  what: { name: string; cluster: ClusterAccess; store?: string },
  options: Pick<
    BackupOptions,
    'occasion' | 'progress' | 'signal' | 'proveContents'
  >,
): Promise<BackupResult> {
  return backupCluster({
    ...configuration.packing(),
    ...options,
    cluster: what.cluster,
    folder: configuration.folder(what.name),
    stores: configuration.backupStores(what.store).map(store => ({
      id: store.id,
      open: () => openStore(store),
    })),
    signingKey: await configuration.signingKey(),
  });
}
