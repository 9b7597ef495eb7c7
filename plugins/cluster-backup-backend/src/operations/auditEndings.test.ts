import { mockServices, TestDatabases } from '@backstage/backend-test-utils';
import { custodyOf } from '../database/custody';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { tellEndings } from './auditEndings';

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });
const fault = {
  code: 'machine-unreachable',
  message: 'cp-1 does not answer.',
  state: 'Nothing was changed.',
  remedy: 'Look at it.',
};

it.each(databases.eachSupportedId())(
  'every end of an operation is told once, and what it was to the archive, %s',
  async id => {
    const knex = await databases.init(id);
    await openDatabase({ getClient: async () => knex });
    const operations = new DatabaseOperationStore(knex);
    const told: unknown[] = [];
    const auditor = mockServices.auditor.mock({
      createEvent: async ({ eventId, severityLevel, meta }) => {
        const tell = async (outcome: string) =>
          void told.push({ eventId, severityLevel, outcome, ...meta });
        return { success: () => tell('success'), fail: () => tell('fail') };
      },
    });
    const look = async () => {
      told.length = 0;
      await tellEndings({ auditor, operations });
      return [...told];
    };

    const clusterRef = 'resource:default/lab';
    const requestedBy = 'user:default/ada';
    await operations.queue({ kind: 'check', clusterRef, requestedBy });
    const { lease } = (await operations.claim('a'))!;
    expect(await look()).toEqual([]);
    await operations.end(lease, { status: 'failed', message: 'x', fault });
    expect(await look()).toEqual([
      expect.objectContaining({
        eventId: 'operation-end',
        severityLevel: 'low',
        outcome: 'fail',
        kind: 'check',
        status: 'failed',
        clusterRef,
        requestedBy,
        code: 'machine-unreachable',
      }),
    ]);
    expect(await look()).toEqual([]);

    const backupId = 'b';
    const restore = (await operations.beginRestore({
      clusterRef,
      requestedBy,
      backupId,
      workerId: 'a',
      decision: { what: [], reason: 'It is lost.', by: requestedBy },
    }))!;
    await operations.giveBack(restore.lease, 'The portal was stopped.');
    expect(await look()).toEqual([
      expect.objectContaining({ outcome: 'fail', status: 'interrupted' }),
    ]);
    const again = (await operations.takeUpRestore({
      id: restore.lease.id,
      workerId: 'b',
      requestedBy,
      undoing: false,
    }))!;
    await operations.end(again.lease, {
      status: 'succeeded',
      message: 'Restored',
      outageSeconds: 5,
    });
    expect(await look()).toEqual([
      expect.objectContaining({
        severityLevel: 'high',
        outcome: 'success',
        kind: 'restore',
        backupId,
      }),
    ]);
    expect(await custodyOf(knex, backupId)).toMatchObject([
      { event: 'restored', by: requestedBy },
      { event: 'restoring', by: requestedBy, why: 'It is lost.' },
    ]);
  },
);
