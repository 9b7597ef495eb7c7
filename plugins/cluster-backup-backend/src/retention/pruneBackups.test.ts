import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { readConfiguration } from '@cluster-backup/engine';
import { Knex } from 'knex';
import { locks } from '../__testUtils__/lockingStore';
import {
  DatabaseBackupRecordStore,
  recordCopies,
} from '../database/DatabaseBackupRecordStore';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { RetentionRecords } from '../database/RetentionRecords';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { DEFAULT_LIMITS } from '../operations/limits';
import { pruneAll } from './pruneBackups';
import { retentionOf, toldRetention } from './retentionOf';

const LAB = 'resource:default/lab';
const ADA = 'user:default/ada';
const DAY_MS = 86_400_000;
const never = new AbortController().signal;

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('pruning in %s', databaseId => {
  let knex: Knex;
  let folder: string;
  let backups: DatabaseBackupRecordStore;
  let retention: RetentionRecords;
  let clusters: ConfiguredClusters;
  let auditor: ReturnType<typeof mockServices.auditor.mock>;

  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    folder = await mkdtemp(join(tmpdir(), 'cluster-backup-prune-'));
    backups = new DatabaseBackupRecordStore(knex);
    retention = new RetentionRecords(knex);
    auditor = mockServices.auditor.mock();
    locks.clear();
    const locking: StoreType = {
      type: 'filesystem',
      modulePath: require.resolve('../__testUtils__/lockingStore'),
    };
    clusters = new ConfiguredClusters({
      configuration: readConfiguration(
        {
          stores: ['here', 'there'].map(id => ({
            ...{ id, filesystem: { path: id } },
          })),
          protection: { retention: { last: 2 } },
          clusters: [{ name: 'lab' }],
        },
        { folder, origin: 'of the test' },
      ),
      storeTypes: [locking],
      backups,
      limits: DEFAULT_LIMITS,
    });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const keyOf = (age: number) =>
    `default/lab/abababab/lab_backup_2026-11-22T1415${10 + age}Z.tar.gz.age`;

  /** A backup of some days ago, in both stores. */
  async function made(age: number, more: { foundAt?: string } = {}) {
    const key = keyOf(age);
    for (const store of ['here', 'there']) {
      const path = join(folder, store, key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, 'archive');
      await writeFile(`${path}.summary.json`, 'summary');
    }
    await backups.recordFound('here', {
      ...{ key, clusterRef: LAB, isEncrypted: true, isBeforeRestore: false },
      ...{ size: 7, snapshotSize: 7, revision: 1, member: 'cp-1', nodes: [] },
      ...{ versions: { etcd: '3.5.16' }, sha256: '', signer: '' },
      reservations: [],
      createdAt: new Date(Date.now() - age * DAY_MS).toISOString(),
      ...more,
    });
    const { backups: all } = await backups.page(LAB, { limit: 100 });
    const { id } = all.find(backup => backup.key === key)!;
    const copy = { state: 'good' } as const;
    await recordCopies(knex, id, [
      { ...copy, store: 'here' },
      { ...copy, store: 'there' },
    ]);
    return id;
  }
  const prune = () =>
    pruneAll(
      { auditor, clusters, retention, logger: mockServices.logger.mock() },
      never,
    );
  const aDayLater = () =>
    knex('backups')
      .whereNotNull('going_since')
      .update({ going_since: Date.now() - DAY_MS });
  const there = async () => {
    const { backups: all } = await backups.page(LAB, { limit: 100 });
    return all.map(({ id }) => id);
  };
  const files = async (store: string) =>
    (await readdir(join(folder, store, 'default/lab/abababab'))).length;
  const told = async () =>
    toldRetention(await retentionOf(LAB, { clusters, retention }));

  it('removes what nothing keeps, after a day that anybody can see it in, and writes down why', async () => {
    const [, , old] = [await made(1), await made(2), await made(3)];
    const { backups: before } = await told();
    expect(
      before.map(({ keptBy, ended, goesAt }) => [
        keptBy.map(({ by }) => by).join(' '),
        ended,
        goesAt && Math.round((Date.parse(goesAt) - Date.now()) / DAY_MS),
      ]),
    ).toEqual([
      ['newest-verified last', undefined, undefined],
      ['last', undefined, undefined],
      ['', 'not-in-rule', 1],
    ]);

    await prune();
    await prune();
    expect(await there()).toContain(old);
    await aDayLater();
    await prune();
    expect(await there()).toHaveLength(2);
    expect(await there()).not.toContain(old);
    for (const store of ['here', 'there']) expect(await files(store)).toBe(4);
    expect(await backups.custody(old)).toContainEqual(
      expect.objectContaining({
        event: 'deleted',
        why: expect.stringContaining('newer ones have taken its places'),
      }),
    );
    expect(auditor.createEvent).toHaveBeenCalledWith(
      expect.objectContaining({ eventId: 'backup-remove' }),
    );
  });

  it('begins the day anew when something kept it meanwhile', async () => {
    const [newest, , old] = [await made(1), await made(2), await made(3)];
    await prune();
    await aDayLater();
    await knex('backup_copies')
      .whereNot({ backup_id: old })
      .update({ state: 'unknown' });
    await prune();
    expect(await there()).toContain(old);
    await recordCopies(knex, newest, [{ store: 'here', state: 'good' }]);
    await prune();
    expect(await there()).toContain(old);
  });

  it('leaves alone what somebody holds, restores, asks to restore, or found', async () => {
    await made(1);
    await made(2);
    const held = await made(3);
    const restored = await made(4);
    const found = await made(5, { foundAt: new Date().toISOString() });
    const hold = { by: ADA, at: new Date().toISOString(), reason: 'audit' };
    expect(await backups.setHold(held, hold, ADA)).toBe(true);
    await new DatabaseOperationStore(knex).beginRestore({
      ...{ clusterRef: LAB, requestedBy: ADA, backupId: restored },
      workerId: 'a',
    });
    await prune();
    await aDayLater();
    await prune();
    expect(await there()).toEqual(
      expect.arrayContaining([held, restored, found]),
    );
    expect(await told()).toMatchObject({ foundCount: 1 });
    await retention.accept(LAB, ADA);
    expect(await told()).toMatchObject({ foundCount: 0 });
    await prune();
    await aDayLater();
    await prune();
    expect(await there()).not.toContain(found);
  });

  it('takes none away that somebody begins to restore or to hold right now', async () => {
    await made(1);
    await made(2);
    const old = await made(3);
    await prune();
    await aDayLater();
    const backup = (await backups.get(old))!;
    const operations = new DatabaseOperationStore(knex);
    const [begun, restore] = await Promise.allSettled([
      retention.begin(backup, 'test', DAY_MS / 2),
      operations.beginRestore({
        ...{ clusterRef: LAB, requestedBy: ADA, backupId: old, workerId: 'a' },
      }),
    ]);
    const isGoing = begun.status === 'fulfilled' && begun.value;
    expect(restore.status).toBe(isGoing ? 'rejected' : 'fulfilled');
    if (!isGoing) return;
    const hold = { by: ADA, at: new Date().toISOString(), reason: 'audit' };
    expect(await backups.setHold(old, hold, ADA)).toBe(false);
  });

  it('waits for whoever reads its copies', async () => {
    await made(1);
    await made(2);
    const old = await made(3);
    await prune();
    await aDayLater();
    const operations = new DatabaseOperationStore(knex);
    await operations.queue({
      ...{ kind: 'verify', clusterRef: LAB, requestedBy: ADA, backupId: old },
    });
    await prune();
    expect(await there()).toContain(old);
    const { lease } = (await operations.claim('a'))!;
    await operations.end(lease, {
      ...{ status: 'succeeded', message: '' },
      copies: [{ store: 'here', state: 'good' }],
    });
    await prune();
    expect(await there()).not.toContain(old);
  });

  it('keeps until then what a store has locked, in all stores, and says so', async () => {
    await made(1);
    await made(2);
    const old = await made(3);
    const until = new Date(Date.now() + 30 * DAY_MS);
    locks.set(keyOf(3), until);
    await prune();
    await aDayLater();
    await prune();
    expect(await there()).toContain(old);
    expect(await files('there')).toBe(6);
    const { backups: all } = await told();
    expect(all.at(-1)).toMatchObject({
      keptBy: [{ by: 'lock', until: until.toISOString() }],
      goesAt: new Date(until.getTime() + DAY_MS).toISOString(),
    });
  });

  it('ends what was begun by somebody who died over it', async () => {
    await made(1);
    await made(2);
    const old = await made(3);
    await prune();
    await aDayLater();
    const backup = (await backups.get(old))!;
    expect(await retention.begin(backup, 'it was old', DAY_MS / 2)).toBe(true);
    await rm(join(folder, 'here', `${keyOf(3)}.summary.json`));
    expect(await backups.get(old)).toBeUndefined();
    expect(await there()).toHaveLength(2);
    await prune();
    for (const store of ['here', 'there']) expect(await files(store)).toBe(4);
    expect(await backups.custody(old)).toContainEqual(
      expect.objectContaining({ event: 'deleted', why: 'it was old' }),
    );
  });
});
