import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { readConfiguration } from '@cluster-backup/engine';
import { DatabaseBackupRecordStore } from '../database/DatabaseBackupRecordStore';
import { openDatabase } from '../database/openDatabase';
import { StoreIdentities } from '../database/StoreIdentities';
import { storeTypeCollection } from '../storeTypeCollection';
import { ConfiguredClusters } from './ConfiguredClusters';
import { openStore } from './openStore';
import { recognizeStores } from './tendStores';

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('stores on %s', databaseId => {
  it('are the same for all replicas, or refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
    try {
      const knex = await databases.init(databaseId);
      await openDatabase({ getClient: async () => knex });
      const types: StoreType[] = [];
      storeTypeCollection(types);
      /** One of several portals; paths are relative to where it runs. */
      const replica = async (at: string) => {
        const clusters = new ConfiguredClusters(
          readConfiguration(
            { stores: [{ id: 'vault', filesystem: { path: 'vault' } }] },
            { folder: join(folder, at), origin: 'of the test' },
          ),
          types,
          new DatabaseBackupRecordStore(knex),
        );
        const logger = mockServices.logger.mock();
        const identities = new StoreIdentities(knex);
        const recognize = () =>
          recognizeStores({
            clusters,
            logger,
            identities,
            backups: new DatabaseBackupRecordStore(knex),
          });
        await recognize();
        return {
          open: () => openStore(clusters.store('vault')),
          logger,
          recognize,
        };
      };

      const first = await replica('a');
      const again = await replica('a');
      expect(await (await again.open()).identity()).toBe(
        await (await first.open()).identity(),
      );
      expect(again.logger.warn).not.toHaveBeenCalled();

      const other = await replica('b');
      await expect(other.open()).rejects.toMatchObject({
        code: 'store-not-the-same',
        details: { store: 'vault' },
      });
      expect(other.logger.warn).toHaveBeenCalledTimes(1);

      // The disk is not mounted any more: an empty folder is in its place.
      await rename(join(folder, 'a', 'vault'), join(folder, 'unmounted'));
      await expect(first.open()).rejects.toMatchObject({
        code: 'store-not-the-same',
      });
      await rm(join(folder, 'a', 'vault'), { recursive: true });
      await rename(join(folder, 'unmounted'), join(folder, 'a', 'vault'));
      await first.open();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
