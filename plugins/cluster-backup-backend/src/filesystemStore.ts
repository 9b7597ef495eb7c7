import { resolve } from 'node:path';
import { openConfiguredFolder } from '@cluster-backup/engine';
import {
  OpenStore,
  PlaceOf,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';

/** The built-in store type `filesystem`, plugged in as every other. */
export const openStore: OpenStore = openConfiguredFolder;

export const placeOf: PlaceOf = ({ folder, options }) =>
  `${resolve(folder, String(options.path))}, on the portal's machines`;
