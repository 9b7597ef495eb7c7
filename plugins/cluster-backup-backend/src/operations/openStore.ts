import {
  BackupStore,
  ClusterBackupError,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import {
  OpenStore,
  PlaceOf,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { PluggedStore } from './Job';

/**
 * Opens a store with the module of its type.
 *
 * @throws ClusterBackupError `store-not-the-same`, and what the module throws
 */
export async function openStore(store: PluggedStore): Promise<BackupStore> {
  const { modulePath, settings, identity, ...configuration } = store;
  const module: { openStore: OpenStore } = require(modulePath);
  const opened = await module.openStore(configuration, settings);
  if (identity) await refuseOther(opened, identity);
  return opened;
}

/** Where a person finds a store, as far as its type tells. */
export function placeOf(store: PluggedStore): string {
  const module: { placeOf?: PlaceOf } = require(store.modulePath);
  return module.placeOf?.(store) ?? `a store of type ${store.type}`;
}

/** A disk that is not mounted leaves an empty folder, which takes backups and gives none. */
async function refuseOther(store: BackupStore, identity: string) {
  const found = await store.identity();
  if (found === identity) return;
  throw new ClusterBackupError({
    code: 'store-not-the-same',
    message: `Store ${store.id} is another one here than the portal knows: it calls itself ${found}, and was ${identity}.`,
    state: NOTHING_CHANGED,
    remedy:
      'Mount the right disk, the same one in every replica of the portal. When it was replaced on purpose, give the new one another id in clusterBackup.stores.',
    details: { store: store.id, found, identity },
  });
}
