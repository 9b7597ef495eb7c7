import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { Knex } from 'knex';
import { ClusterSchedules } from '../database/ClusterSchedules';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { Schedule } from './Schedule';
import { queueDue } from './scheduleBackups';

const LAB = 'resource:default/lab';
const DAY_MS = 86_400_000;
const daily: Schedule = {
  ...{ cron: '0 2 * * *', timeZone: 'UTC', jitterMinutes: 0 },
};

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('schedules in %s', databaseId => {
  let knex: Knex;
  let operations: DatabaseOperationStore;
  let schedule: Schedule | undefined;
  const wake = jest.fn();

  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    operations = new DatabaseOperationStore(knex);
    schedule = daily;
    wake.mockReset();
  });

  const look = (clusterRefs = [LAB]) =>
    queueDue({
      clusters: {
        clusterRefs,
        name: (ref: string) => ref,
        slots: () => [{ resource: 'portal', atMost: 8 }],
      } as unknown as ConfiguredClusters,
      schedules: new ClusterSchedules(knex),
      protectionOf: () => ({ secondPerson: false, schedule }),
      wake,
      logger: mockServices.logger.mock(),
    });
  const queued = async (clusterRef = LAB) =>
    (await operations.recent(clusterRef, 100)).reverse();
  const due = async () => {
    const row = await knex('cluster_schedules').first();
    return row && Number(row.due_at);
  };
  const moveDue = (agoMs: number) =>
    knex('cluster_schedules').update({ due_at: Date.now() - agoMs });
  const log = async (id: string) =>
    (await operations.events(id, 0)).events.map(({ message }) => message);
  /** As if time had brought a cluster that was backed up here. */
  const afterTheFirst = async () => {
    await look();
    await look();
    const claim = await operations.claim('a');
    await operations.end(claim!.lease, { status: 'succeeded', message: '' });
  };

  it('back up soon what is seen for the first time', async () => {
    await look();
    await look();
    expect(await queued()).toEqual([
      expect.objectContaining({
        kind: 'backup',
        status: 'queued',
        requestedBy: 'plugin:cluster-backup',
        dueAt: expect.any(String),
      }),
    ]);
    expect(wake).toHaveBeenCalledTimes(1);
    await look();
    expect(await queued()).toHaveLength(1);
    const next = new Date((await due())!);
    expect(next.getUTCHours()).toBe(2);
    expect(next.getTime()).toBeGreaterThan(Date.now());
    expect(next.getTime()).toBeLessThanOrEqual(Date.now() + DAY_MS);
  });

  it('queue what is due once, however many replicas look at once', async () => {
    const refs = Array.from({ length: 12 }, (_, i) => `resource:default/${i}`);
    await look(refs);
    await Promise.all(Array.from({ length: 8 }, () => look(refs)));
    for (const ref of refs) expect(await queued(ref)).toHaveLength(1);
  });

  it('make up once for all that was missed, and say so', async () => {
    await afterTheFirst();
    await moveDue(3 * DAY_MS);
    await look();
    await look();
    const [, made, ...more] = await queued();
    expect(more).toEqual([]);
    const [message] = await log(made.id);
    expect(message).toMatch(/No portal ran then/);
    expect(message).toMatch(/for 3 later times that were missed as well/);
    expect(await due()).toBeGreaterThan(Date.now());
  });

  it('have one that waits serve a later time too', async () => {
    await look();
    await look();
    await moveDue(1000);
    await look();
    const [waiting, ...more] = await queued();
    expect(more).toEqual([]);
    expect(await log(waiting.id)).toEqual([
      expect.stringMatching(/^Due at /),
      expect.stringMatching(/^Due at .*serves it too\.$/),
    ]);

    // What runs began before: it does not serve it.
    await operations.claim('a');
    await moveDue(1000);
    await look();
    expect(await queued()).toHaveLength(2);
  });

  it('try again within an hour what failed', async () => {
    await look();
    await look();
    const { lease } = (await operations.claim('a'))!;
    const inAnHour = () => Date.now() + 3_600_000;
    await knex('cluster_schedules').update({ due_at: Date.now() + DAY_MS });
    const fault = { code: 'x', message: 'x', state: 'x', remedy: 'x' };
    await operations.end(lease, { status: 'failed', message: '', fault });
    expect(await due()).toBeLessThanOrEqual(inAnHour());
    await look();
    expect(await queued()).toHaveLength(1);
    await moveDue(1000);
    await look();
    expect(await queued()).toHaveLength(2);
    const next = new Date((await due())!);
    expect([next.getUTCHours(), next.getUTCMinutes()]).toEqual([2, 0]);
  });

  it('are as the rule is by now', async () => {
    await afterTheFirst();
    schedule = { ...daily, cron: '0 5 * * *' };
    await look();
    expect(new Date((await due())!).getUTCHours()).toBe(5);
    expect(await queued()).toHaveLength(1);

    // What was due before the rule changed is not lost for that.
    await moveDue(1000);
    schedule = daily;
    await look();
    expect(await queued()).toHaveLength(2);

    // Replicas may disagree for a while: one that knows of no schedule takes none away.
    const before = await due();
    schedule = undefined;
    await look();
    schedule = daily;
    await look();
    expect(await due()).toBe(before);
    expect(await queued()).toHaveLength(2);
  });
});
