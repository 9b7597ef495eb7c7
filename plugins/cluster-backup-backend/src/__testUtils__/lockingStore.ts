import { BackupStore, openConfiguredFolder } from '@cluster-backup/engine';
import { OpenStore } from '@cluster-backup/backstage-plugin-cluster-backup-node';

/** Until when files are locked, by their keys. */
export const locks = new Map<string, Date>();

/** A folder that locks files as an object store does. */
export const openStore: OpenStore = async configured => {
  const store: BackupStore = await openConfiguredFolder(configured);
  const head = store.head.bind(store);
  store.head = async key => {
    const file = await head(key);
    return file && { ...file, lockedUntil: locks.get(key) };
  };
  return store;
};
