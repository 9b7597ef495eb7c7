import { once } from 'node:events';
import { AddressInfo, Server, Socket } from 'node:net';
import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { clusterAt, silentMachine } from '../__testUtils__/silentMachine';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { Job } from './Job';
import { OperationWorker } from './OperationWorker';

const CLUSTER = 'resource:default/lab';
const BY = 'user:default/ops';

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('workers on %s', databaseId => {
  let knex: Knex;
  let store: DatabaseOperationStore;
  let silent: Server;
  let workers: OperationWorker[];
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    store = new DatabaseOperationStore(knex);
    silent = await silentMachine(sockets);
    workers = [];
  });
  afterEach(async () => {
    await Promise.all(workers.map(each => each.stop()));
    silent.close();
    for (const socket of sockets) socket.destroy();
  });

  const nobody = 1;
  const silentPort = () => (silent.address() as AddressInfo).port;

  const check = (port: number): Job => ({
    type: 'check',
    cluster: clusterAt(port),
    lastBackup: {
      fault: { code: 'store-full', message: 'Gone.', state: '', remedy: '' },
    },
  });

  function worker(port: number, from = store) {
    const started = new OperationWorker({
      store: from,
      jobOf: async () => check(port),
      lookAt: async ({ id }) => ({
        type: 'look',
        cluster: clusterAt(port),
        operationId: id,
      }),
      logger: mockServices.logger.mock(),
    });
    workers.push(started);
    return started;
  }

  const queue = (kind: 'check' | 'backup') =>
    store.queue({ kind, clusterRef: CLUSTER, requestedBy: BY });
  const starts = async (id: string) =>
    (await store.events(id, 0)).events.filter(({ message }) =>
      message.startsWith('Started'),
    ).length;

  async function until(
    id: string,
    isSo: (operation: Operation) => boolean | Promise<boolean>,
  ) {
    for (;;) {
      const operation = (await store.get(id))!;
      if (await isSo(operation)) return operation;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }

  it('run everything once, and tell what came of it', async () => {
    const queued = await Promise.all(
      Array.from({ length: 6 }, () => queue('check')),
    );
    worker(nobody).start();
    worker(nobody).start();
    for (const { id } of queued) {
      const ended = await until(id, ({ endedAt }) => endedAt !== undefined);
      expect(ended).toMatchObject({ status: 'succeeded', attempt: 1 });
      expect(ended.findings).toContainEqual(
        expect.objectContaining({
          level: 'refusal',
          code: 'machine-unreachable',
          machine: 'cp-1',
        }),
      );
      expect(ended.findings).toContainEqual(
        expect.objectContaining({ code: 'archive-not-read' }),
      );
      expect(await starts(id)).toBe(1);
    }
  });

  it('end what somebody cancels', async () => {
    const { id } = await queue('check');
    const running = worker(silentPort());
    running.start();
    await once(silent, 'connection');
    await store.requestCancel(id, BY);
    running.wake();
    const ended = await until(id, ({ status }) => status !== 'running');
    expect(ended).toMatchObject({
      status: 'cancelled',
      fault: { code: 'cancelled' },
    });
  });

  it('give back what runs when they are stopped, for another', async () => {
    const { id } = await queue('backup');
    const first = worker(silentPort());
    first.start();
    await once(silent, 'connection');
    await first.stop();
    expect(await store.get(id)).toMatchObject({ status: 'queued', attempt: 1 });

    worker(nobody).start();
    const ended = await until(id, ({ endedAt }) => endedAt !== undefined);
    expect(ended).toMatchObject({ status: 'succeeded', attempt: 2 });
  });

  it('write nothing after another has taken over', async () => {
    const { id } = await queue('check');
    // It renews far too late for such a lease.
    const hasty = new DatabaseOperationStore(knex, { leaseMs: 100 });
    const stalled = worker(silentPort(), hasty);
    const claim = (await hasty.claim(stalled.id))!;
    stalled.run(claim, async () => check(silentPort()));
    const [socket] = await once(silent, 'connection');
    worker(nobody).start();
    await until(id, ({ endedAt }) => endedAt !== undefined);
    // What the stalled one waits for ends, and it would tell that.
    socket.destroy();
    await new Promise(resolve => setTimeout(resolve, 1000));
    expect(await store.get(id)).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      findings: expect.arrayContaining([
        expect.objectContaining({ code: 'machine-unreachable' }),
      ]),
    });
    expect(await starts(id)).toBe(2);
  });

  it('find out where an interrupted restore stands, as far as machines answer', async () => {
    const claim = (await store.beginRestore({
      clusterRef: CLUSTER,
      requestedBy: BY,
      backupId: 'b',
      workerId: 'gone',
    }))!;
    await store.giveBack(claim.lease, 'Gone.');
    const looking = worker(silentPort());
    looking.start();
    await once(silent, 'connection');
    expect(await store.get(claim.lease.id)).toMatchObject({
      status: 'interrupted',
    });
  });
});
