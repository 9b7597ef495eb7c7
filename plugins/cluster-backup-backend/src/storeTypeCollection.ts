import {
  StoreType,
  StoreTypesExtensionPoint,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';

/** Takes in the store types of modules, after the one that is built in. */
export function storeTypeCollection(
  storeTypes: StoreType[],
): StoreTypesExtensionPoint {
  const collection: StoreTypesExtensionPoint = {
    addStoreType(storeType) {
      if (storeTypes.some(({ type }) => type === storeType.type)) {
        throw new Error(
          `The store type ${storeType.type} was added twice; remove one of the modules that add it.`,
        );
      }
      storeTypes.push(storeType);
    },
  };
  collection.addStoreType({
    type: 'filesystem',
    modulePath: require.resolve(
      '@cluster-backup/backstage-plugin-cluster-backup-backend/filesystemStore',
    ),
  });
  return collection;
}
