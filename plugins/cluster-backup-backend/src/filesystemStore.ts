import { openConfiguredFolder } from '@cluster-backup/engine';
import { OpenStore } from '@cluster-backup/backstage-plugin-cluster-backup-node';

/** The built-in store type `filesystem`, plugged in as every other. */
export const openStore: OpenStore = openConfiguredFolder;
