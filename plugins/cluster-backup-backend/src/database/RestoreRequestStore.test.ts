import { TestDatabases } from '@backstage/backend-test-utils';
import { Knex } from 'knex';
import { DatabaseOperationStore } from './DatabaseOperationStore';
import { openDatabase } from './openDatabase';
import { RestoreRequestStore, StoredRequest } from './RestoreRequestStore';

const CLUSTER = 'resource:default/lab';
const ADA = 'user:default/ada';
const BOB = 'user:default/bob';
const aWhile = () => new Promise(resolve => setTimeout(resolve, 30));

const databases = TestDatabases.create({ ids: ['SQLITE_3', 'POSTGRES_15'] });

describe.each(databases.eachSupportedId())('requests in %s', databaseId => {
  let knex: Knex;
  let requests: RestoreRequestStore;
  let operations: DatabaseOperationStore;

  beforeEach(async () => {
    knex = await databases.init(databaseId);
    await openDatabase({ getClient: async () => knex });
    requests = new RestoreRequestStore(knex);
    operations = new DatabaseOperationStore(knex);
  });

  const asked = {
    clusterRef: CLUSTER,
    backupId: 'b',
    requestedBy: ADA,
    reason: 'It is lost.',
    choices: { withFiles: true },
    archive: { key: 'k', createdAt: '2026-11-22T10:00:00.000Z', sha256: 'a' },
    target: { name: 'lab', layout: 'kubeadm' as const, machines: [] },
    checkId: 'c',
  };
  const create = (expiresInMs = 60_000) =>
    requests.create({ ...asked, expiresInMs });
  const approved = async () => {
    const { id } = await create();
    await aWhile();
    await requests.decide(id, { status: 'approved', by: BOB });
    return id;
  };
  const begin = (requestId: string | undefined, clusterRef = CLUSTER) =>
    operations.beginRestore({
      clusterRef,
      backupId: 'b',
      requestedBy: ADA,
      workerId: 'a',
      requestId,
    });
  const of = async (id: string) => (await requests.get(id)) as StoredRequest;

  it('keeps what was asked, and what was said of it', async () => {
    const request = await create();
    const { choices, ...frozen } = asked;
    expect(request).toMatchObject({ ...frozen, ...choices, status: 'pending' });
    const counts =
      Date.parse(request.expiresAt) - Date.parse(request.requestedAt);
    expect(Math.abs(counts - 60_000)).toBeLessThan(1000);
    await requests.decide(request.id, {
      status: 'approved',
      by: BOB,
      reason: 'So it is.',
      isEmergency: true,
    });
    expect(await of(request.id)).toMatchObject({
      status: 'approved',
      decision: { by: BOB, reason: 'So it is.', isEmergency: true },
    });
    const newer = await create();
    const ids = (await requests.recent(CLUSTER, 5)).map(({ id }) => id);
    expect(ids).toEqual([newer.id, request.id]);
  });

  it('takes one word, of two that are said at once', async () => {
    const { id } = await create();
    const said = await Promise.all([
      requests.decide(id, { status: 'approved', by: BOB }),
      requests.decide(id, { status: 'rejected', by: BOB, reason: 'No.' }),
    ]);
    expect(said.filter(Boolean)).toHaveLength(1);
    expect(await requests.decide(id, { status: 'approved', by: BOB })).toBe(
      false,
    );
  });

  it('is over when its time is', async () => {
    const { id } = await create(1);
    await aWhile();
    expect((await of(id)).status).toBe('expired');
    expect(await requests.decide(id, { status: 'approved', by: BOB })).toBe(
      false,
    );
    const late = await create(200);
    await requests.decide(late.id, { status: 'approved', by: BOB });
    await new Promise(resolve => setTimeout(resolve, 250));
    await expect(begin(late.id)).rejects.toMatchObject({
      code: 'restore-request-closed',
    });
    expect(await operations.recent(CLUSTER, 5)).toEqual([]);
  });

  it('is used up once, by the restore that begins with it', async () => {
    const id = await approved();
    const begun = await Promise.allSettled([begin(id), begin(id)]);
    const won = begun.flatMap(each =>
      each.status === 'fulfilled' && each.value ? [each.value] : [],
    );
    expect(won).toHaveLength(1);
    expect(await of(id)).toMatchObject({
      status: 'started',
      operationId: won[0].lease.id,
      isOvertaken: false,
    });
    await operations.end(won[0].lease, { status: 'failed', message: 'No' });
    await expect(begin(id)).rejects.toMatchObject({
      code: 'restore-request-closed',
    });
    expect(await requests.withdraw(id)).toBe(false);
  });

  it('is not used up when its cluster is busy', async () => {
    const id = await approved();
    await operations.queue({
      kind: 'backup',
      clusterRef: CLUSTER,
      requestedBy: BOB,
    });
    const { lease } = (await operations.claim('a'))!;
    expect(await begin(id)).toBeUndefined();
    expect((await of(id)).status).toBe('approved');
    await operations.end(lease, { status: 'succeeded', message: 'Done' });
    expect(await begin(id)).toBeDefined();
  });

  it.each(['pending', 'rejected', 'withdrawn'])(
    'begins nothing when it is %s',
    async status => {
      const { id } = await create();
      if (status === 'rejected') {
        await requests.decide(id, { status, by: BOB, reason: 'No.' });
      }
      if (status === 'withdrawn') await requests.withdraw(id);
      expect((await of(id)).status).toBe(status);
      await expect(begin(id)).rejects.toMatchObject({
        code: 'restore-request-closed',
      });
    },
  );

  it('begins nothing when another restore of the cluster was begun since', async () => {
    const id = await approved();
    await begin(undefined, 'resource:default/other');
    expect((await of(id)).isOvertaken).toBe(false);
    const { lease } = (await begin(undefined))!;
    await operations.end(lease, { status: 'succeeded', message: 'Done' });
    expect((await of(id)).isOvertaken).toBe(true);
    await expect(begin(id)).rejects.toMatchObject({
      code: 'restore-request-closed',
    });
    await aWhile();
    expect((await create()).isOvertaken).toBe(false);
  });
});
