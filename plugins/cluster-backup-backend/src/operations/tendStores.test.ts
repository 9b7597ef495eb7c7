import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { readConfiguration } from '@cluster-backup/engine';
import { DatabaseBackupRecordStore } from '../database/DatabaseBackupRecordStore';
import { openDatabase } from '../database/openDatabase';
import { StoreIdentities } from '../database/StoreIdentities';
import { storeTypeCollection } from '../storeTypeCollection';
import { ConfiguredClusters } from './ConfiguredClusters';
import { openStore } from './openStore';
import { DEFAULT_LIMITS } from './limits';
import { tendHolds } from './tendHolds';
import { recognizeStores } from './tendStores';

const aRecord = {
  createdAt: '2026-11-22T14:15:00.000Z',
  isEncrypted: true,
  isBeforeRestore: false,
  size: 1,
  snapshotSize: 1,
  revision: 1,
  member: 'cp-1',
  versions: { etcd: '3.5.16' },
  nodes: ['cp-1'],
  sha256: 'a'.repeat(64),
  signer: 'SHA256:abc',
  reservations: [],
};

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
        const clusters = new ConfiguredClusters({
          configuration: readConfiguration(
            { stores: [{ id: 'vault', filesystem: { path: 'vault' } }] },
            { folder: join(folder, at), origin: 'of the test' },
          ),
          storeTypes: types,
          backups: new DatabaseBackupRecordStore(knex),
          limits: DEFAULT_LIMITS,
        });
        const logger = mockServices.logger.mock();
        const identities = new StoreIdentities(knex);
        const recognize = () =>
          recognizeStores({
            auditor: mockServices.auditor.mock(),
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

  it('have holds, which are recorded, and forgotten when every store was asked', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
    try {
      const knex = await databases.init(databaseId);
      await openDatabase({ getClient: async () => knex });
      const backups = new DatabaseBackupRecordStore(knex);
      const types: StoreType[] = [];
      storeTypeCollection(types);
      const clusters = new ConfiguredClusters({
        configuration: readConfiguration(
          {
            stores: ['local', 'vault'].map(id => ({
              id,
              filesystem: { path: id },
            })),
          },
          { folder, origin: 'of the test' },
        ),
        storeTypes: types,
        backups,
        limits: DEFAULT_LIMITS,
      });
      const logger = mockServices.logger.mock();
      const tend = () => tendHolds({ clusters, backups, logger });
      const clusterRef = 'resource:default/lab';
      const key =
        'default/lab/abababab/lab_backup_2026-11-22T141500Z.tar.gz.age';
      const record = { ...aRecord, clusterRef, key };
      for (const store of ['local', 'vault']) {
        await backups.recordFound(store, record);
      }
      const recorded = async () => (await backups.last(clusterRef))!.hold;
      const beside = (store: string) => join(folder, store, `${key}.hold.json`);
      const hold = {
        by: 'user:default/ada',
        at: '2026-11-20T09:30:00.000Z',
        reason: 'Before the migration',
      };
      const put = async (store: string, text: string) => {
        await mkdir(dirname(beside(store)), { recursive: true });
        await writeFile(beside(store), text);
      };
      const readable = JSON.stringify({ formatVersion: 1, ...hold });

      await tend();
      expect(await recorded()).toBeUndefined();
      await put('local', 'unreadable');
      await tend();
      expect(await recorded()).toMatchObject({ by: 'unknown' });
      await put('vault', readable);
      await tend();
      expect(await recorded()).toEqual(hold);
      await tend();
      expect(await recorded()).toEqual(hold);

      // A store that is away may have it.
      await rm(beside('local'));
      const vault = join(folder, 'vault');
      await rename(vault, `${vault}.away`);
      await writeFile(vault, '');
      await tend();
      expect(await recorded()).toEqual(hold);
      expect(logger.warn).toHaveBeenCalledWith(
        'The holds in a store are not known',
        expect.objectContaining({ store: 'vault' }),
      );
      await rm(vault);
      await rename(`${vault}.away`, vault);
      await rm(beside('vault'));
      await tend();
      expect(await recorded()).toBeUndefined();

      // Whoever held it while the stores were listed is not forgotten.
      const { id } = (await backups.last(clusterRef))!;
      const later = new Date(Date.now() + 60_000).toISOString();
      await backups.setHold(id, { ...hold, at: later }, hold.by);
      await tend();
      expect(await recorded()).toMatchObject({ at: later });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
