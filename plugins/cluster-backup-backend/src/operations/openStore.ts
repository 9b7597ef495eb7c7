import { BackupStore } from '@cluster-backup/engine';
import { OpenStore } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { PluggedStore } from './Job';

/** Opens a store with the module of its type. */
export async function openStore(store: PluggedStore): Promise<BackupStore> {
  const { modulePath, ...configuration } = store;
  const module: { openStore: OpenStore } = require(modulePath);
  return module.openStore(configuration);
}
