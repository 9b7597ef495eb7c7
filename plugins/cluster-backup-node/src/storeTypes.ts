import { createExtensionPoint } from '@backstage/backend-plugin-api';
import { BackupStore, StoreConfiguration } from '@cluster-backup/engine';

export type {
  BackupStore,
  StoreConfiguration,
  StoredFile,
} from '@cluster-backup/engine';

/**
 * Opens a store that is configured. A store type's module exports it under the name `openStore`.
 *
 * @public
 */
export type OpenStore = (
  store: StoreConfiguration,
  settings?: StoreType['settings'],
) => Promise<BackupStore>;

/**
 * Where a person finds a store that is configured, without a portal; a word about it, no secret. A store type's module may
 * export it under the name `placeOf`.
 *
 * @public
 */
export type PlaceOf = (store: StoreConfiguration) => string;

/** A kind of place where archives are kept. @public */
export interface StoreType {
  /** The name of its member in `clusterBackup.stores`: `filesystem`. */
  type: string;
  /**
   * Absolute path of a CommonJS module that exports `openStore`, and `placeOf` where it can. Archives are written and read in processes of their own,
   * which load it themselves.
   */
  modulePath: string;
  /**
   * What such stores share of the portal's configuration, which those processes do not have: plain data, given to
   * `openStore`.
   */
  settings?: Record<string, unknown>;
}

/** @public */
export interface StoreTypesExtensionPoint {
  /** Adds a store type; there is one of each. */
  addStoreType(storeType: StoreType): void;
}

/**
 * Where modules add store types.
 *
 * @public
 */
export const clusterBackupStoreTypesExtensionPoint =
  createExtensionPoint<StoreTypesExtensionPoint>({
    id: 'cluster-backup.storeTypes',
  });
