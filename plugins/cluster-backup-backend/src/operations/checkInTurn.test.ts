import { TestDatabases } from '@backstage/backend-test-utils';
import { Knex } from 'knex';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { OperationStore } from '../database/OperationStore';
import { checkDue } from './checkInTurn';
import { ClusterOperations } from './ClusterOperations';
import { ConfiguredClusters } from './ConfiguredClusters';

const HOUR_MS = 3_600_000;
const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('checks, in %s,', databaseId => {
  let knex: Knex;
  let operations: OperationStore;
  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    operations = new DatabaseOperationStore(knex);
  });

  /** One round, and whom it asked for. */
  async function round(clusterRefs: string[]) {
    const asked: string[] = [];
    await checkDue({
      operations,
      clusters: { clusterRefs } as ConfiguredClusters,
      clusterOperations: {
        async check(clusterRef: string, requestedBy: string) {
          asked.push(clusterRef);
          const kind = 'check';
          return operations.queue({ kind, clusterRef, requestedBy, slots: [] });
        },
      } as unknown as ClusterOperations,
    });
    return asked;
  }
  const passed = (hours: number) =>
    knex('operations').decrement('requested_at', hours * HOUR_MS);
  async function endAll(status: 'succeeded' | 'failed' | 'cancelled') {
    for (;;) {
      const claim = await operations.claim('a');
      if (!claim) return;
      await operations.end(claim.lease, { status, message: '', findings: [] });
    }
  }

  it('are asked for once a day of each cluster, whoever asked for the last one', async () => {
    expect(await round(['a'])).toEqual(['a']);
    expect(await operations.lastCheck('a')).toBeUndefined();
    await endAll('succeeded');
    const [{ id, requestedBy }] = await operations.recent('a', 1);
    expect(requestedBy).toBe('plugin:cluster-backup');
    expect(await operations.lastCheck('a')).toMatchObject({ id });
    await passed(23.9);
    expect(await round(['a'])).toEqual([]);
    await passed(0.2);
    expect(await round(['a'])).toEqual(['a']);
    await endAll('cancelled');
    expect(await operations.lastCheck('a')).toMatchObject({ id });
    expect(await round(['a'])).toEqual([]);
  });

  it('are spread over the day', async () => {
    const refs = Array.from({ length: 600 }, (_, i) => `c${i}`);
    const asked = [await round(refs), await round(refs)];
    expect(asked.map(({ length }) => length)).toEqual([3, 3]);
    expect(new Set(asked.flat()).size).toBe(6);
  });

  it('are not asked for while one waits, and not of what is being restored', async () => {
    await round(['waiting']);
    await passed(25);
    const clusterRef = 'restored';
    const claim = await operations.beginRestore({
      ...{ clusterRef, backupId: 'b', workerId: 'w' },
      requestedBy: 'user:default/ada',
    });
    expect(await round(['waiting', 'restored', 'free'])).toEqual(['free']);
    await operations.giveBack(claim!.lease, 'Gone.');
    expect(await round(['restored'])).toEqual([]);
    const ending = { status: 'succeeded', message: '' } as const;
    await operations.settleDoubt((await operations.interrupted())[0], ending);
    expect(await round(['restored'])).toEqual(['restored']);
  });
});
