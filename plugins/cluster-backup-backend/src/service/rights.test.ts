import { join } from 'node:path';
import {
  mockCredentials,
  TestBackend,
  TestDatabases,
} from '@backstage/backend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import {
  clusterBackupApprovePermission,
  clusterBackupCreatePermission,
  clusterBackupManagePermission,
  clusterBackupReadPermission,
  clusterBackupRestorePermission,
  clusterBackupRevealPermission,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import supertest from 'supertest';
import {
  Audit,
  clusterEntity,
  groupEntity,
  startPortal,
  userEntity,
} from '../__testUtils__/portal';
import { describedApi } from '../__testUtils__/describedApi';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { MOST_A_MINUTE } from './limitRequests';
import { RestoreRequestStore } from '../database/RestoreRequestStore';

const MINE = 'resource:default/mine';
const OTHERS = 'resource:default/others';
const entities = [
  clusterEntity('mine', 'user:default/mock'),
  clusterEntity('others', 'group:default/others'),
  groupEntity('others'),
  userEntity('mock'),
];
const recipient = 'age1nobody';
const machine = { name: 'cp-1', address: '127.0.0.1', port: 1 };
const section = (ownership?: { requireOwnership: boolean }) => ({
  recipients: [recipient],
  // Beneath a file: nothing can be written there.
  signingKeyFile: join(__filename, 'key.pem'),
  stores: [{ id: 'local', filesystem: { path: join(__filename, 'store') } }],
  clusters: ['mine', 'others'].map(name => ({
    name,
    ssh: { privateKey: 'none' },
    controlPlane: [machine],
  })),
  ...ownership,
});
const NOTHING = {};
const proving = { recipient, expiresAt: 'x', answer: 'x' };
const OWNERS_ONLY: string[] = [
  clusterBackupRestorePermission.name,
  clusterBackupApprovePermission.name,
  clusterBackupManagePermission.name,
  clusterBackupRevealPermission.name,
];
const puttingBack = {
  secrets: [{ namespace: 'x', name: 'y' }],
  missing: false,
};
const requesting = { backupId: 'none', reason: 'x' };
const restoring = { backupId: 'none', confirmation: 'x', fileKey: 'x' };

const databases = TestDatabases.create({ ids: ['SQLITE_3'] });
let knex: Knex;
let backend: TestBackend | undefined;
let audit: Audit;
let authorize: jest.Mock;

/** Ids of a backup, of the queued check that made it, and of a restore, by cluster. */
const ids: Record<
  string,
  { backup: string; check: string; restore: string; request: string }
> = {};

beforeAll(async () => {
  knex = await databases.init('SQLITE_3');
  await openDatabase({ getClient: async () => knex });
  const store = new DatabaseOperationStore(knex);
  for (const clusterRef of [MINE, OTHERS]) {
    const by = { clusterRef, requestedBy: 'user:default/ops' };
    await store.queue({ kind: 'backup', ...by });
    const { lease } = (await store.claim('a'))!;
    await store.end(lease, {
      status: 'succeeded',
      message: 'Done',
      copies: [{ store: 'local', state: 'good' }],
      backup: {
        key: 'k',
        createdAt: new Date().toISOString(),
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
      },
    });
    const { backupId } = (await store.get(lease.id))!;
    const restore = (await store.beginRestore({
      ...by,
      backupId: backupId!,
      workerId: 'gone',
    }))!;
    await store.end(restore.lease, { status: 'undone', message: 'Undone' });
    const requests = new RestoreRequestStore(knex);
    const request = await requests.create({
      clusterRef,
      backupId: backupId!,
      requestedBy: 'user:default/ops',
      reason: 'x',
      choices: {},
      archive: { key: 'k', createdAt: new Date().toISOString(), sha256: 'b' },
      target: { name: 'x', layout: 'kubeadm', machines: [] },
      checkId: lease.id,
      expiresInMs: 60_000,
    });
    await requests.withdraw(request.id);
    ids[clusterRef] = {
      backup: backupId!,
      check: lease.id,
      restore: restore.lease.id,
      request: request.id,
    };
  }
});

async function start(
  permissions?: AuthorizeResult.DENY,
  ownership?: { requireOwnership: boolean },
) {
  ({ backend, audit, authorize } = await startPortal({
    knex,
    section: section(ownership),
    entities,
    permissions,
  }));
}
afterEach(async () => {
  await backend?.stop();
  backend = undefined;
});
const api = () => describedApi(backend!.server);

const routes = (clusterRef: string) => {
  const cluster = `/clusters/by-entity/${clusterRef.replace(':', '/')}`;
  const { backup, check, restore, request } = ids[clusterRef];
  const read = clusterBackupReadPermission;
  const create = clusterBackupCreatePermission;
  const put = clusterBackupRestorePermission;
  const approve = clusterBackupApprovePermission;
  const manage = clusterBackupManagePermission;
  const reveal = clusterBackupRevealPermission;
  return [
    ['get', cluster, undefined, read, 200],
    ['get', `${cluster}/backups?limit=1`, undefined, read, 200],
    ['get', `${cluster}/runbook`, undefined, read, 200],
    ['get', `${cluster}/retention`, undefined, read, 200],
    ['post', `${cluster}/retention/acceptances`, NOTHING, manage, 200],
    ['get', `${cluster}/assessment`, undefined, read, 503],
    ['get', `${cluster}/kept-data`, undefined, read, 503],
    ['delete', `${cluster}/kept-data/restore-x`, undefined, put, 503],
    ['post', `${cluster}/kubeconfigs`, NOTHING, reveal, 503],
    ['post', `${cluster}/checks`, NOTHING, create, 202],
    ['post', `${cluster}/backups`, NOTHING, create, 202],
    ['post', `${cluster}/restores`, restoring, put, 400],
    ['post', `${cluster}/restore-requests`, requesting, put, 404],
    ['get', `/restore-requests/${request}`, undefined, read, 200],
    ['post', `/restore-requests/${request}/approve`, NOTHING, approve, 409],
    [
      'post',
      `/restore-requests/${request}/reject`,
      { reason: 'x' },
      approve,
      409,
    ],
    ['post', `/restore-requests/${request}/withdraw`, NOTHING, put, 403],
    ['post', `${cluster}/recipient-challenges`, { recipient }, create, 503],
    ['post', `${cluster}/recipient-proofs`, proving, create, 503],
    ['get', `/backups/${backup}`, undefined, read, 200],
    ['get', `/backups/${backup}/custody`, undefined, read, 200],
    ['get', `/backups/${backup}/archive`, undefined, reveal, 503],
    ['get', `/backups/${backup}/header`, undefined, put, 503],
    ['get', `/backups/${backup}/managed-clusters`, undefined, read, 200],
    ['post', `/backups/${backup}/object-comparisons`, NOTHING, put, 409],
    ['post', `/backups/${backup}/put-backs`, puttingBack, put, 409],
    ['post', `/backups/${backup}/verifications`, NOTHING, create, 202],
    ['put', `/backups/${backup}/hold`, { reason: 'x' }, manage, 503],
    ['delete', `/backups/${backup}/hold`, undefined, manage, 503],
    ['get', `/operations/${check}`, undefined, read, 200],
    ['get', `/operations/${check}/events?after=1`, undefined, read, 200],
    ['post', `/operations/${check}/cancel`, NOTHING, create, 409],
    ['post', `/operations/${restore}/cancel`, NOTHING, put, 409],
    ['post', `/operations/${restore}/resume`, NOTHING, put, 409],
    ['post', `/operations/${restore}/undo`, NOTHING, put, 409],
  ] as const;
};

const COUNT = 35;
const each = Array.from({ length: COUNT }, (_, index) => ({ index }));

it('speaks of every route', () => expect(routes(MINE)).toHaveLength(COUNT));

/** One portal for all routes of a describe. */
function withPortal(...options: Parameters<typeof start>) {
  let portal: { backend?: TestBackend; audit: Audit; authorize: jest.Mock };
  beforeAll(async () => {
    await start(...options);
    portal = { backend, audit, authorize };
  });
  beforeEach(() => {
    ({ backend, audit, authorize } = portal);
    audit.length = 0;
    authorize.mockClear();
  });
  afterEach(() => {
    backend = undefined;
  });
  afterAll(() => portal?.backend?.stop());
}

const call = (index: number, clusterRef = MINE, authorization?: string) => {
  const [method, path, body] = routes(clusterRef)[index];
  return api()(method, path, { body, authorization });
};

describe('with every permission', () => {
  withPortal();

  it.each(each)(
    'route $index asks for the permission on the entity, and tells the audit',
    async ({ index }) => {
      const [, , , permission, status] = routes(MINE)[index];
      const response = await call(index);
      expect(response.status).toBe(status);
      expect(authorize.mock.calls[0][0]).toEqual([
        { permission, resourceRef: MINE },
      ]);
      expect(audit).toEqual([
        {
          eventId: expect.any(String),
          outcome: status < 400 ? 'success' : 'fail',
        },
      ]);
    },
  );

  it.each(each)(
    'route $index refuses who is not signed in, and machines that want more than to read and back up',
    async ({ index }) => {
      const nobody = await call(index, MINE, mockCredentials.none.header());
      expect(nobody.status).toBe(401);
      const service = await call(index, MINE, mockCredentials.service.header());
      const [, , , { name }, status] = routes(MINE)[index];
      const isForMachines = [
        clusterBackupReadPermission.name,
        clusterBackupCreatePermission.name,
      ].includes(name as any);
      expect(service.status).toBe(isForMachines ? status : 403);
    },
  );

  it.each(each)(
    "route $index lets others than the owner do all but what is the owners'",
    async ({ index }) => {
      const [, , , { name }, status] = routes(OTHERS)[index];
      const isOwnersOnly = OWNERS_ONLY.includes(name);
      const response = await call(index, OTHERS);
      expect(response.status).toBe(isOwnersOnly ? 403 : status);
      expect(response.body.error?.code === 'not-owner').toBe(isOwnersOnly);
    },
  );
});

describe('with no permission', () => {
  withPortal(AuthorizeResult.DENY);

  it.each(each)(
    'route $index refuses, and tells the audit',
    async ({ index }) => {
      const response = await call(index);
      const [, , , permission] = routes(MINE)[index];
      expect(response.status).toBe(403);
      expect(response.body.error).toMatchObject({
        name: 'NotAllowedError',
        code: 'permission-missing',
        details: { permission: permission.name },
      });
      expect(audit).toEqual([{ eventId: expect.any(String), outcome: 'fail' }]);
    },
  );
});

describe('where owners are left to the policy', () => {
  withPortal(undefined, { requireOwnership: false });

  it.each(each)('route $index asks for none', async ({ index }) => {
    const [, , , , status] = routes(OTHERS)[index];
    expect((await call(index, OTHERS)).status).toBe(status);
  });
});

it.each([
  ['get', '/clusters/by-entity/resource/default/none', 'cluster-unknown'],
  ['get', '/backups/none', 'backup-unknown'],
  ['get', '/backups/none/header', 'backup-unknown'],
  ['get', '/backups/none/managed-clusters', 'backup-unknown'],
  ['get', '/operations/none', 'operation-unknown'],
  ['get', '/restore-requests/none', 'restore-request-unknown'],
] as const)('%s %s is not there', async (method, path, code) => {
  await start();
  const response = await api()(method, path);
  expect(response.status).toBe(404);
  expect(response.body.error).toMatchObject({ name: 'NotFoundError', code });
});

it('tells nobody of what belongs to a cluster that is not to be seen', async () => {
  const { backup, check } = ids[MINE];
  ({ backend } = await startPortal({ knex, section: section(), entities: [] }));
  for (const [path, id] of [
    ['/backups/ID', backup],
    ['/backups/ID/header', backup],
    ['/operations/ID', check],
    ['/operations/ID/events', check],
  ]) {
    const [hidden, absent] = await Promise.all(
      [id, 'none'].map(async asked => {
        const { status, body } = await api()('get', path.replace('ID', asked));
        const { message, code } = body.error;
        return { status, code, message: message.replace(asked, 'ID') };
      }),
    );
    expect(hidden).toEqual(absent);
    expect(hidden.status).toBe(404);
  }
});

it('names a machine that takes a backup', async () => {
  await start();
  const response = await api()(
    'post',
    `/clusters/by-entity/resource/default/mine/checks`,
    { body: NOTHING, authorization: mockCredentials.service.header() },
  );
  expect(response.body).toMatchObject({ requestedBy: 'external:test-service' });
});

it.each([
  ['get', '/backups?limit=0', undefined],
  ['get', '/backups?limit=1&page=3', undefined],
  ['post', '/backups', { store: 'local' }],
  ['post', '/checks', { force: true }],
  ['post', '/restores', { backupId: 1 }],
] as const)(
  '%s %s refuses what it does not know',
  async (method, path, body) => {
    await start();
    const cluster = '/clusters/by-entity/resource/default/mine';
    const response = await api()(method, `${cluster}${path}`, { body });
    expect(response.status).toBe(400);
    expect(response.body.error).toMatchObject({
      name: 'InputError',
      code: 'request-invalid',
    });
  },
);

it('refuses a body that is larger than any, and whoever asks for too much', async () => {
  await start();
  const path = `/backups/${ids[MINE].backup}/hold`;
  const large = await supertest(backend!.server)
    .put(`/api/cluster-backup${path}`)
    .send({ reason: 'x'.repeat(200_000) });
  expect([large.status, large.body.error.code]).toEqual([
    400,
    'request-invalid',
  ]);
  const statuses: number[] = [];
  for (let i = 0; i < MOST_A_MINUTE; i++) {
    const { status, headers, body } = await supertest(backend!.server)
      .put(`/api/cluster-backup${path}`)
      .send({});
    statuses.push(status);
    if (status !== 429) continue;
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    expect(body.error).toMatchObject({ code: 'request-rate' });
  }
  expect(statuses.at(-2)).toBe(400);
  expect(statuses.at(-1)).toBe(429);
  const reading = await api()('get', `/backups/${ids[MINE].backup}`);
  expect(reading.status).toBe(200);
});

it.each([
  [{}],
  [{ reason: '' }],
  [{ reason: ' \n ' }],
  [{ reason: 'x'.repeat(501) }],
  [{ reason: 'x', until: 'March' }],
])('a hold for %j is refused', async body => {
  await start();
  const path = `/backups/${ids[MINE].backup}/hold`;
  const response = await api()('put', path, { body });
  expect(response.status).toBe(400);
  expect(response.body.error.code).toBe('request-invalid');
});

describe('an approval in an emergency', () => {
  const approve = (body: object) =>
    api()('post', `/restore-requests/${ids[MINE].request}/approve`, { body });
  const alone = { emergency: true, reason: 'It burns.' };

  it('is given by those who are configured, and by nobody else', async () => {
    await start();
    const denied = await approve(alone);
    expect(denied.status).toBe(403);
    expect(denied.body.error.code).toBe('emergency-not-member');
    await backend!.stop();
    const restoreRequests = { emergencyApprovers: ['User:default/Mock'] };
    const portal = await startPortal({
      knex,
      section: { ...section(), restoreRequests },
      entities,
    });
    backend = portal.backend;
    const over = await approve(alone);
    expect(over.body.error.code).toBe('restore-request-closed');
    expect(portal.createEvent).toHaveBeenCalledWith(
      expect.objectContaining({
        eventId: 'restore-request-approve-alone',
        severityLevel: 'critical',
        meta: { requestId: ids[MINE].request, reason: 'It burns.' },
      }),
    );
    const { body } = await api()(
      'get',
      '/clusters/by-entity/resource/default/mine',
    );
    expect(body.allowed.approveAlone).toEqual({ allowed: true });
  });

  it.each([{ emergency: true }, { emergency: true, reason: ' ' }])(
    'takes a reason: %j',
    async body => {
      await start();
      expect((await approve(body)).status).toBe(400);
    },
  );
});

it('restores nothing alone where a second person is needed', async () => {
  ({ backend } = await startPortal({
    knex,
    section: { ...section(), protection: { secondPerson: true } },
    entities,
  }));
  const cluster = '/clusters/by-entity/resource/default/mine';
  const body = { ...restoring, backupId: ids[MINE].backup };
  const alone = await api()('post', `${cluster}/restores`, { body });
  expect(alone.status).toBe(409);
  expect(alone.body.error.code).toBe('approval-needed');
  const withdrawn = await api()('post', `${cluster}/restores`, {
    body: { requestId: ids[MINE].request, confirmation: 'mine' },
  });
  expect(withdrawn.status).toBe(403);
  expect(withdrawn.body.error.code).toBe('requester-needed');
  const overview = await api()('get', cluster);
  expect(overview.body).toMatchObject({
    needsSecondPerson: true,
    restoreRequests: [{ id: ids[MINE].request, status: 'withdrawn' }],
  });
});

it('tells of a cluster that is not configured, and of rights', async () => {
  ({ backend } = await startPortal({ knex, section: {}, entities }));
  const { body } = await api()(
    'get',
    '/clusters/by-entity/resource/default/others',
  );
  expect(body).toMatchObject({
    clusterRef: OTHERS,
    fault: { code: 'cluster-not-configured' },
    stores: [],
    allowed: {
      create: { allowed: true },
      restore: {
        allowed: false,
        reason: expect.stringContaining('Only owners'),
      },
      manage: {
        allowed: false,
        reason: expect.stringMatching(/^Only owners .* which .* are kept/),
      },
    },
  });
  expect(body.name).toBeUndefined();
});

it('does not start with a store of a type that nobody added', async () => {
  const stores = [{ id: 'vault', tape: { drive: '/dev/nst0' } }];
  await expect(
    startPortal({ knex, section: { stores }, entities }),
  ).rejects.toThrow(/no store type tape/);
});
