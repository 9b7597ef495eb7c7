import { resolvePackagePath } from '@backstage/backend-plugin-api';
import { TestDatabases } from '@backstage/backend-test-utils';
import { Knex } from 'knex';
import { DatabaseBackupRecordStore } from './DatabaseBackupRecordStore';
import { DatabaseOperationStore } from './DatabaseOperationStore';
import { openDatabase } from './openDatabase';
import { Claim, Ending, LeaseLostError } from './OperationStore';

const migrations = resolvePackagePath(
  '@cluster-backup/backstage-plugin-cluster-backup-backend',
  'migrations',
);
const CLUSTER = 'resource:default/lab';
const BY = 'user:default/ops';
const DONE: Ending = { status: 'succeeded', message: 'Done' };
const SOON = { leaseMs: 20 };
const aWhile = () => new Promise(resolve => setTimeout(resolve, 60));

const backup: NonNullable<Ending['backup']> = {
  key: 'default/lab/1/lab.tar.gz.age',
  createdAt: '2026-11-22T10:00:00.000Z',
  isEncrypted: true,
  isBeforeRestore: false,
  size: 3_000_000_000,
  snapshotSize: 9_000_000_000,
  revision: 1_000_000_511,
  member: 'cp-1',
  versions: { kubernetes: '1.31.4', etcd: '3.5.16' },
  nodes: ['cp-1'],
  sha256: 'a'.repeat(64),
  signer: 'SHA256:abc',
  reservations: [{ id: 'clock-skew', title: 'clocks', message: 'late' }],
};

const fault = {
  code: 'store-full',
  message: 'It is full.',
  state: 'Nothing was kept.',
  remedy: 'Free space.',
};

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('operations in %s', databaseId => {
  let knex: Knex;
  let store: DatabaseOperationStore;

  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    store = new DatabaseOperationStore(knex);
  });

  const queue = (kind: 'check' | 'backup', clusterRef = CLUSTER) =>
    store.queue({ kind, clusterRef, requestedBy: BY });
  const restore = (workerId: string, clusterRef = CLUSTER) =>
    store.beginRestore({
      clusterRef,
      requestedBy: BY,
      backupId: 'b',
      workerId,
    });
  const status = async ({ lease }: Claim) =>
    (await store.get(lease.id))!.status;
  const log = async (id: string) =>
    (await store.events(id, 0)).events.map(({ message }) => message);

  it('goes back to an empty database and forth again', async () => {
    await knex.migrate.rollback({ directory: migrations }, true);
    expect(await knex.schema.hasTable('operations')).toBe(false);
    await knex.migrate.latest({ directory: migrations });
    expect((await queue('backup')).status).toBe('queued');
  });

  it('claims no more than may use a resource at once, in all replicas together', async () => {
    const slots = (name: string, atMost: number) => [
      { resource: 'portal', atMost: 5 },
      { resource: `store ${name}`, atMost },
    ];
    for (let i = 0; i < 20; i++) {
      await store.queue({
        ...{ kind: 'backup', clusterRef: `resource:default/${i}` },
        requestedBy: BY,
        slots: slots(i < 10 ? 'slow' : 'fast', i < 10 ? 2 : 9),
      });
    }
    const claimAll = async () => {
      const claims: Claim[] = [];
      await Promise.all(
        ['a', 'b', 'c', 'd'].map(async worker => {
          let claim: Claim | undefined;
          do {
            claim = await store.claim(worker);
            if (claim) claims.push(claim);
          } while (claim);
        }),
      );
      return claims;
    };
    const numbers = (claims: Claim[]) =>
      claims
        .map(({ operation }) => Number(operation.clusterRef.split('/')[1]))
        .sort((one, other) => one - other);
    const first = await claimAll();
    expect(numbers(first)).toEqual([0, 1, 10, 11, 12]);
    const slow = first.find(({ operation: { clusterRef } }) =>
      clusterRef.endsWith('/0'),
    );
    await store.end(slow!.lease, DONE);
    expect(numbers(await claimAll())).toEqual([2]);
  });

  it('claims what a person asked for first, then backups that are due', async () => {
    const by = (requestedBy: string, kind: 'backup' | 'verify', name: string) =>
      store.queue({
        ...{ kind, requestedBy, clusterRef: `resource:default/${name}` },
        ...(kind === 'verify' && { backupId: name }),
      });
    await by('plugin:cluster-backup', 'verify', 'read');
    await by('plugin:cluster-backup', 'backup', 'due');
    await by(BY, 'backup', 'asked');
    const order = [];
    for (const worker of ['a', 'b', 'c']) {
      order.push((await store.claim(worker))!.operation.clusterRef);
    }
    expect(order).toEqual(
      ['asked', 'due', 'read'].map(name => `resource:default/${name}`),
    );
  });

  it('claims the oldest whose cluster is free', async () => {
    const first = await queue('backup');
    const second = await queue('backup');
    const check = await queue('check');
    const other = await queue('backup', 'resource:default/other');

    const claim = (await store.claim('a'))!;
    expect(claim.operation).toMatchObject({
      id: first.id,
      status: 'running',
      attempt: 1,
      requestedBy: BY,
    });
    expect((await store.claim('a'))!.operation.id).toBe(check.id);
    expect((await store.claim('b'))!.operation.id).toBe(other.id);
    expect(await store.claim('b')).toBeUndefined();
    expect(await restore('b')).toBeUndefined();
    expect((await store.current(CLUSTER))?.id).toBe(first.id);

    await store.end(claim.lease, DONE);
    expect((await store.claim('b'))!.operation.id).toBe(second.id);
    const recent = await store.recent(CLUSTER, 2);
    expect(recent.map(({ id }) => id)).toEqual([check.id, second.id]);
  });

  it('gives nothing to two replicas', async () => {
    const clusters = Array.from(
      { length: 6 },
      (_, i) => `resource:default/${i}`,
    );
    for (const cluster of clusters) {
      for (let i = 0; i < 3; i++) await queue('backup', cluster);
    }
    const claimed: Claim[] = [];
    const replica = async (workerId: string) => {
      // A lost race is no end of the queue.
      for (let misses = 0; misses < 20; ) {
        const claim = await store.claim(workerId);
        if (claim) claimed.push(claim);
        else misses++;
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(replica));
    expect(claimed.map(({ operation }) => operation.clusterRef).sort()).toEqual(
      clusters,
    );

    const begun = await Promise.all(
      ['a', 'b', 'c', 'd'].map(id => restore(id, 'resource:default/free')),
    );
    expect(begun.filter(Boolean)).toHaveLength(1);
  });

  it('fences off whoever lost the lease', async () => {
    const hasty = new DatabaseOperationStore(knex, SOON);
    await queue('backup');
    const stalled = (await hasty.claim('a'))!;
    await store.tell(stalled.lease, { step: { name: 's', title: 'S' } }, []);
    await aWhile();
    expect(await store.giveBackExpired('Gone.')).toMatchObject([
      { status: 'queued', attempt: 1 },
    ]);
    expect(await store.giveBackExpired('Gone.')).toEqual([]);
    expect((await store.get(stalled.lease.id))!.step).toBeUndefined();

    const again = (await store.claim('a'))!;
    expect(again.lease).toEqual({ ...stalled.lease, attempt: 2 });
    const { lease } = stalled;
    for (const write of [
      () => store.renew(lease),
      () => store.tell(lease, {}, [{ type: 'note', message: 'late' }]),
      () => store.end(lease, { ...DONE, backup }),
      () => store.giveBack(lease, 'late'),
    ]) {
      await expect(write()).rejects.toThrow(LeaseLostError);
    }
    await store.renew(again.lease);
    await store.end(again.lease, DONE);
    await expect(store.end(again.lease, DONE)).rejects.toThrow(LeaseLostError);
    expect(await log(lease.id)).toEqual([
      `Asked for by ${BY}`,
      'Started',
      'Gone. It waits to be started again.',
      'Started again',
      'Done',
    ]);
    const records = new DatabaseBackupRecordStore(knex);
    expect(await records.page(CLUSTER, { limit: 10 })).toEqual({ backups: [] });
  });

  it('interrupts a restore that nobody runs any more, until somebody takes it up', async () => {
    const hasty = new DatabaseOperationStore(knex, SOON);
    const claim = (await hasty.beginRestore({
      clusterRef: CLUSTER,
      requestedBy: BY,
      backupId: 'b',
      workerId: 'a',
    }))!;
    const { id } = claim.lease;
    await aWhile();
    await store.giveBackExpired('Gone.');
    expect(await status(claim)).toBe('interrupted');
    await queue('backup');
    expect(await store.claim('b')).toBeUndefined();
    expect(await restore('b')).toBeUndefined();
    expect((await store.current(CLUSTER))?.id).toBe(id);
    expect(await store.requestCancel(id, BY)).toBeUndefined();

    const [doubt] = await store.interrupted();
    await store.settleDoubt(doubt, { onlyForward: false });
    expect((await store.get(id))!.onlyForward).toBe(false);

    const takeUp = (workerId: string) =>
      store.takeUpRestore({ id, workerId, requestedBy: BY, undoing: true });
    const taken = await Promise.all(['b', 'c'].map(takeUp));
    const mine = taken.find(Boolean)!;
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await store.interrupted()).toEqual([]);
    expect(mine.operation).toMatchObject({ undoing: true, attempt: 2 });
    // What was found out before does not count any more.
    await store.settleDoubt(doubt, DONE);
    expect(await status(claim)).toBe('running');
    expect(await store.requestCancel(id, BY)).toBeUndefined();
    await store.end(mine.lease, { status: 'undone', message: 'Taken back' });
    expect((await store.claim('b'))?.operation.kind).toBe('backup');
  });

  it('writes down what the machines remember and nobody here knows, once', async () => {
    const mine = (await restore('a'))!;
    const remembered = {
      operation: 'restore-20260203T040506Z-1f2e3d4c',
      outcome: 'restored' as const,
      begunAt: '2026-02-03T04:05:06Z',
      endedAt: '2026-02-03T04:06:00.000Z',
      origin: { by: 'ops@jump-host' },
      decision: {
        what: ['with-files'],
        reason: { text: 'The disk was lost.', by: 'ops@jump-host' },
      },
    };
    expect(await store.recordRemembered(CLUSTER, remembered)).toBe(true);
    expect(await store.recordRemembered(CLUSTER, remembered)).toBe(false);
    expect(await store.get(remembered.operation)).toMatchObject({
      kind: 'restore',
      status: 'succeeded',
      requestedBy: 'ops@jump-host',
      requestedAt: '2026-02-03T04:05:06.000Z',
      endedAt: remembered.endedAt,
      decision: { what: ['with-files'], reason: 'The disk was lost.' },
    });
    const { id } = mine.lease;
    const own = { ...remembered, origin: { id, by: BY } };
    expect(await store.recordRemembered(CLUSTER, own)).toBe(false);

    const heldUp = {
      ...remembered,
      operation: 'restore-20260204T040506Z-1f2e3d4c',
      outcome: 'unfinished' as const,
      endedAt: undefined,
      origin: { id: 'of-a-lost-database', by: BY },
      heldUp: { onlyForward: true, needsArchive: false },
    };
    // Until the cluster is free.
    expect(await store.recordRemembered(CLUSTER, heldUp)).toBe(false);
    await store.end(mine.lease, DONE);
    expect(await store.recordRemembered(CLUSTER, heldUp)).toBe(true);
    expect(await store.current(CLUSTER)).toMatchObject({
      id: 'of-a-lost-database',
      status: 'interrupted',
      onlyForward: true,
      needsArchive: false,
    });
    const taken = await store.takeUpRestore({
      id: 'of-a-lost-database',
      workerId: 'b',
      requestedBy: BY,
      undoing: false,
    });
    expect(taken?.operation).toMatchObject({ status: 'running', attempt: 2 });
  });

  it('cancels what waits at once, and asks what runs', async () => {
    const queued = await queue('backup');
    expect(await store.requestCancel(queued.id, BY)).toMatchObject({
      status: 'cancelled',
      endedAt: expect.any(String),
    });
    expect(await store.claim('a')).toBeUndefined();

    await queue('backup');
    const claim = (await store.claim('a'))!;
    expect(await store.requestCancel(claim.lease.id, BY)).toMatchObject({
      status: 'running',
      cancelRequested: true,
    });
    expect(await store.cancelRequested('a')).toEqual([claim.lease.id]);
    expect(await store.cancelRequested('b')).toEqual([]);
    // Nobody wants it any more: it is not begun again.
    await store.giveBack(claim.lease, 'Stopped.');
    expect(await status(claim)).toBe('cancelled');
    expect(await store.requestCancel(claim.lease.id, BY)).toBeUndefined();
  });

  it('records a backup with the end of its operation', async () => {
    const records = new DatabaseBackupRecordStore(knex);
    for (let hour = 0; hour < 5; hour++) {
      await queue('backup');
      const { lease } = (await store.claim('a'))!;
      const createdAt = `2026-11-22T1${hour % 4}:00:00.000Z`;
      const copies = [
        { store: 'local', state: 'good' as const },
        { store: 'vault', state: 'missing' as const, fault },
      ];
      const made = { ...backup, createdAt };
      await store.end(lease, { ...DONE, backup: made, copies });
      const { backupId } = (await store.get(lease.id))!;
      expect(await records.get(backupId!)).toEqual({
        ...backup,
        createdAt,
        id: backupId,
        clusterRef: CLUSTER,
        requestedBy: BY,
        operationId: lease.id,
        foundAt: undefined,
        copies: [
          {
            store: 'local',
            state: 'good',
            checkedAt: expect.any(String),
            verifiedAt: expect.any(String),
          },
          {
            store: 'vault',
            state: 'missing',
            checkedAt: expect.any(String),
            fault,
          },
        ],
      });
    }
    const hours: number[] = [];
    let next: string | undefined;
    do {
      const page = await records.page(CLUSTER, { limit: 2, next });
      hours.push(...page.backups.map(b => new Date(b.createdAt).getUTCHours()));
      next = page.next;
    } while (next);
    expect(hours).toEqual([13, 12, 11, 10, 10]);
  });

  it('says which backups are to be read again', async () => {
    const records = new DatabaseBackupRecordStore(knex);
    const take = async (state: 'good' | 'missing') => {
      await queue('backup');
      const { lease } = (await store.claim('a'))!;
      const copies = [{ store: 'local', state }];
      await store.end(lease, { ...DONE, backup, copies });
      return (await store.get(lease.id))!.backupId!;
    };
    const due = async (verifiedBeforeMs: number, retryAfterMs: number) => {
      const limit = 10;
      const options = { verifiedBeforeMs, retryAfterMs, limit };
      const backups = await records.dueForVerification(options);
      return backups.map(({ id }) => id).sort();
    };
    const good = await take('good');
    const missing = await take('missing');
    await aWhile();
    expect(await due(60_000, 60_000)).toEqual([]);
    expect(await due(60_000, 20)).toEqual([missing]);
    expect(await due(20, 20)).toEqual([good, missing].sort());

    // It needs not wait for what is done to the cluster, and is nothing that is done to it.
    await queue('backup');
    await store.claim('a');
    const asked = { kind: 'verify', clusterRef: CLUSTER } as const;
    await store.queue({ ...asked, requestedBy: BY, backupId: missing });
    expect(await due(20, 20)).toEqual([good]);
    expect((await store.current(CLUSTER))!.kind).toBe('backup');
    const { lease, operation } = (await store.claim('a'))!;
    expect(operation).toMatchObject({ kind: 'verify', backupId: missing });
    const copies = [{ store: 'local', state: 'good' as const }];
    await store.end(lease, { ...DONE, copies });
    expect((await records.get(missing))!.copies).toMatchObject([
      { state: 'good', verifiedAt: expect.any(String) },
    ]);
    expect((await records.get(missing))!.copies[0].fault).toBeUndefined();
  });

  it('tells a log in the order in which it was written', async () => {
    await queue('check');
    const { lease } = (await store.claim('a'))!;
    const bytes = { done: 1, total: 2, rate: 3 };
    const step = { name: 'snapshot', title: 'Snapshot' };
    await store.tell(lease, { step, bytes }, [
      { type: 'step-started', step: 'snapshot', message: 'Snapshot' },
      { type: 'note', machine: 'cp-1', message: 'slow' },
    ]);
    expect(await store.get(lease.id)).toMatchObject({ step, bytes });
    const { events, cursor } = await store.events(lease.id, 0);
    expect(events.map(event => event.cursor)).toEqual(
      events.map(event => event.cursor).sort((a, b) => a - b),
    );
    expect(events.at(-1)).toMatchObject({ machine: 'cp-1', message: 'slow' });
    expect(await store.events(lease.id, cursor)).toEqual({
      events: [],
      cursor,
    });
    expect(await store.wasStepDone(lease.id, 'snapshot')).toBe(false);
    const age = Date.now() - Date.parse(events[0].at);
    expect(Math.abs(age)).toBeLessThan(60_000);
  });
});

it('refuses other databases', async () => {
  const knex = { client: { config: { client: 'mysql2' } } } as Knex;
  await expect(openDatabase({ getClient: async () => knex })).rejects.toThrow(
    /SQLite or PostgreSQL.*mysql2/,
  );
});
