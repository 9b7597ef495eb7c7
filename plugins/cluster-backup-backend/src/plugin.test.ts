import { once } from 'node:events';
import {
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Entity } from '@backstage/catalog-model';
import {
  mockCredentials,
  mockServices,
  TestBackend,
  TestDatabases,
} from '@backstage/backend-test-utils';
import {
  Backup,
  BackupChoices,
  BackupPage,
  Operation,
  OperationEvent,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import {
  generateAgeKey,
  isOfLastBackup,
  readConfiguration,
} from '@cluster-backup/engine';
import { Lab, makeSeed, startLab } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { Decrypter } from 'age-encryption';
import { Knex } from 'knex';
import supertest from 'supertest';
import { describedApi } from './__testUtils__/describedApi';
import { clusterEntity, startPortal, userEntity } from './__testUtils__/portal';
import { DatabaseBackupRecordStore } from './database/DatabaseBackupRecordStore';
import { Claim } from './database/OperationStore';
import { StoreIdentities } from './database/StoreIdentities';
import { ConfiguredClusters } from './operations/ConfiguredClusters';
import { DEFAULT_LIMITS } from './operations/limits';
import { tendAll } from './operations/tendStores';
import { storeTypeCollection } from './storeTypeCollection';

const CLUSTER = '/clusters/by-entity/resource/default/lab';
const OTHER = '/clusters/by-entity/resource/default/other';

const SECOND = 'user:default/ada';

/** Longer than any operation of this lab takes. */
const FOLLOWED_MS = 120_000;

const databases = TestDatabases.create({ ids: ['SQLITE_3'] });
let lab: Lab;
let folder: string;
let section: object;
let identity: string;
let knex: Knex;
let backend: TestBackend | undefined;
let send: jest.Mock;

let visits = 0;
/** Where nobody ever comes. */
const elsewhere = createServer(() => visits++);

beforeAll(async () => {
  elsewhere.listen(0, '127.0.0.1');
  await once(elsewhere, 'listening');
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-test-'));
  const key = await generateAgeKey();
  identity = key.identity;
  // Large enough for a portal to be stopped while it streams.
  const seed = await makeSeed({ sizeMiB: 100, directory: folder });
  lab = await startLab({
    nodes: 1,
    apiServerStopSeconds: 1,
    seed: seed.snapshotPath,
  });
  const { machines } = lab.access();
  const access = join(lab.directory, 'access');
  section = {
    restoreRequests: { emergencyApprovers: ['user:default/mock'] },
    recipients: [key.recipient],
    signingKeyFile: join(folder, 'signing-key.pem'),
    stores: [
      { id: 'local', filesystem: { path: join(folder, 'store') } },
      { id: 'vault', filesystem: { path: join(folder, 'vault') } },
    ],
    clusters: ['lab', 'other'].map(name => ({
      name,
      ssh: {
        privateKeyFile: join(access, 'lab'),
        knownHostsFile: join(access, 'known_hosts'),
      },
      controlPlane: machines.map(({ name: machine, address, port, user }) => ({
        name: machine,
        address,
        port,
        user,
      })),
    })),
  };
  knex = await databases.init('SQLITE_3');
  await startBackend();
});
afterAll(async () => {
  elsewhere.close();
  await backend?.stop();
  await lab?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startBackend(more: object = {}) {
  ({ backend, send } = await startPortal({
    knex,
    section: { ...section, ...more },
    entities: [
      ...['lab', 'other'].map(name => {
        const entity = pointingElsewhere(
          clusterEntity(name, 'user:default/mock'),
        );
        const second = { type: 'ownedBy', targetRef: SECOND };
        return { ...entity, relations: [...entity.relations!, second] };
      }),
      userEntity('mock'),
      userEntity('ada'),
    ],
  }));
}

/** Whoever edits an entity steers no credentials: what it says of addresses is nobody's business here. */
function pointingElsewhere(entity: Entity): Entity {
  const { port } = elsewhere.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  return {
    ...entity,
    metadata: {
      ...entity.metadata,
      annotations: {
        'kubernetes.io/api-server': `https://${address}`,
        'kubernetes.io/api-server-certificate-authority': 'bm9uZQ==',
        'kubernetes.io/auth-provider': 'none',
        'backstage.io/kubernetes-cluster': address,
        'cluster-backup/address': address,
        'cluster-backup/controlPlane': `[{"address":"127.0.0.1","port":${port}}]`,
      },
    },
    spec: { ...entity.spec, controlPlane: [{ address: '127.0.0.1', port }] },
  };
}

const get = async (path: string) => {
  const { status, body } = await describedApi(backend!.server)('get', path);
  expect(status).toBe(200);
  return body;
};
const post = (path: string, body: object = {}, by = 'user:default/mock') =>
  describedApi(backend!.server)('post', path, {
    body,
    authorization: mockCredentials.user.header(by),
  });
const hold = ({ id }: Backup, reason: string) =>
  describedApi(backend!.server)('put', `/backups/${id}/hold`, {
    body: { reason },
  });
const release = ({ id }: Backup) =>
  describedApi(backend!.server)('delete', `/backups/${id}/hold`);

/** Follows an operation as the Backup tab does. */
async function follow(
  id: string,
  isSeen: (
    operation: Operation,
    log: OperationEvent[],
  ) => boolean = operation => !['queued', 'running'].includes(operation.status),
) {
  const log: OperationEvent[] = [];
  let cursor = 0;
  const until = Date.now() + FOLLOWED_MS;
  while (Date.now() < until) {
    const news = await get(`/operations/${id}/events?after=${cursor}`);
    log.push(...news.events);
    cursor = news.cursor;
    if (isSeen(news.operation, log)) {
      return { operation: news.operation as Operation, log };
    }
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${id} was not seen as it should be: ${JSON.stringify(log)}`);
}

async function backUp(
  cluster = CLUSTER,
  choices: BackupChoices = {},
): Promise<Backup> {
  const { status, body } = await post(`${cluster}/backups`, choices);
  expect(status).toBe(202);
  const { operation } = await follow(body.id);
  expect(operation).toMatchObject({ status: 'succeeded', attempt: 1 });
  return get(`/backups/${operation.backupId}`);
}

/** What a person does in the browser: the identity never leaves it. */
async function fileKeyOf(backup: Backup): Promise<string | undefined> {
  if (!backup.isEncrypted) return undefined;
  const { status, body } = await describedApi(backend!.server)(
    'get',
    `/backups/${backup.id}/header`,
  );
  expect(status).toBe(200);
  expect(body.toString()).toMatch(/^age-encryption.org\/v1\n[^]*\n--- \S+\n$/);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const fileKey = await decrypter.decryptHeader(new Uint8Array(body));
  return Buffer.from(fileKey).toString('base64');
}

async function configMaps() {
  const config = new KubeConfig();
  config.loadFromString(await lab.kubeconfig());
  return config.makeApiClient(CoreV1Api);
}
const names = async () => {
  const { items } = await (
    await configMaps()
  ).listNamespacedConfigMap({ namespace: 'default' });
  return items.map(({ metadata }) => metadata!.name);
};

/** Begins a restore and stops the portal as soon as a step is seen. */
async function interruptAt(backup: Backup, step: string): Promise<string> {
  const { status, body } = await post(`${CLUSTER}/restores`, {
    backupId: backup.id,
    confirmation: 'lab',
    fileKey: await fileKeyOf(backup),
  });
  expect(status).toBe(202);
  await follow(body.id, (_, log) => log.some(event => event.step === step));
  await backend!.stop();
  await startBackend();
  await follow(body.id, ({ onlyForward }) => onlyForward !== undefined);
  return body.id;
}

it('checks, backs up, restores, over HTTP', async () => {
  const check = await post(`${CLUSTER}/checks`);
  expect(check.status).toBe(202);
  const { operation: checked } = await follow(check.body.id);
  expect(checked.status).toBe('succeeded');
  expect(checked.findings!.every(({ level }) => level !== 'refusal')).toBe(
    true,
  );

  const api = await configMaps();
  await api.createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'kept' } },
  });
  const backup = await backUp();
  expect(backup).toMatchObject({
    copies: [
      { store: 'local', state: 'good', verifiedAt: expect.any(String) },
      { store: 'vault', state: 'good', verifiedAt: expect.any(String) },
    ],
    nodes: ['cp-1'],
    requestedBy: 'user:default/mock',
    reservations: [],
  });
  await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'kept' });

  const fileKey = await fileKeyOf(backup);
  const wanted = { backupId: backup.id, confirmation: 'lab', fileKey };
  const refusals: Array<[string, object, number, string]> = [
    [CLUSTER, { ...wanted, confirmation: 'Lab' }, 400, 'confirmation-wrong'],
    [CLUSTER, { ...wanted, fileKey: 'AAAA' }, 400, 'request-invalid'],
    [CLUSTER, { ...wanted, backupId: 'none' }, 404, 'backup-unknown'],
    [OTHER, { ...wanted, confirmation: 'other' }, 404, 'backup-unknown'],
  ];
  for (const [cluster, body, status, code] of refusals) {
    const refused = await post(`${cluster}/restores`, body);
    expect([refused.status, refused.body.error.code]).toEqual([status, code]);
  }

  const why = { backupId: backup.id, reason: 'A ConfigMap was lost.' };
  const { body: request } = await post(`${CLUSTER}/restore-requests`, why);
  const { operation: looked } = await follow(request.check.id);
  expect(looked.findings!.filter(isOfLastBackup)).toEqual([]);
  const requested = `/restore-requests/${request.id}`;
  const own = await post(`${requested}/approve`);
  expect(own.body.error.code).toBe('approver-is-requester');
  const approved = await post(`${requested}/approve`, {}, SECOND);
  expect(approved.body).toMatchObject({
    status: 'approved',
    check: { findings: expect.any(Array) },
  });
  const start = { requestId: request.id, confirmation: 'lab', fileKey };
  const others = await post(`${CLUSTER}/restores`, start, SECOND);
  expect(others.body.error.code).toBe('requester-needed');
  const restore = await post(`${CLUSTER}/restores`, start);
  expect(restore.status).toBe(202);
  expect(restore.body).toMatchObject({
    status: 'running',
    attempt: 1,
    decision: { reason: why.reason, approvedBy: SECOND },
  });
  const busy = await post(`${CLUSTER}/restores`, wanted);
  expect(busy.status).toBe(409);
  expect(busy.body.error).toMatchObject({
    name: 'ConflictError',
    code: 'cluster-busy',
    details: { operation: restore.body.id },
  });
  expect((await get(CLUSTER)).current.id).toBe(restore.body.id);

  const { operation, log } = await follow(restore.body.id);
  expect(operation.fault).toBeUndefined();
  expect(operation).toMatchObject({
    status: 'succeeded',
    backupId: backup.id,
    outageSeconds: expect.any(Number),
  });
  expect(log.map(({ step, type }) => `${step} ${type}`)).toContain(
    'point-of-no-return step-done',
  );
  expect(await names()).toContain('kept');

  const overview = await get(CLUSTER);
  expect(overview).toMatchObject({ name: 'lab', lastBackup: backup });
  expect(visits).toBe(0);
  expect(overview.current).toBeUndefined();
  expect(overview.recent).toHaveLength(4);
  expect(overview.restoreRequests).toMatchObject([
    { status: 'started', operationId: operation.id },
  ]);
  const { backups } = await get(`${CLUSTER}/backups`);
  expect(backups).toEqual([
    expect.objectContaining({
      operationId: operation.id,
      isBeforeRestore: true,
      requestedBy: 'user:default/mock',
      copies: backup.copies.map(() =>
        expect.objectContaining({ state: 'good' }),
      ),
    }),
    backup,
  ]);
  // Neither the file key nor an SSH key is in the database.
  for (const table of [
    'operations',
    'operation_events',
    'backups',
    'restore_requests',
  ]) {
    const rows = JSON.stringify(await knex(table).select());
    expect(rows).not.toContain(fileKey);
    expect(rows).not.toContain('PRIVATE KEY');
  }
});

it.each([
  ['a path that climbs', '..%2f..%2fetc%2fpasswd'],
  ['a prototype', '__proto__'],
  ['a member of a prototype', 'constructor'],
  ['an option', '-oProxyCommand=id'],
  ['a command', '%24(id)'],
  ['two lines', 'lab%0aother'],
  ['a byte that ends strings', 'lab%00'],
  ['no end', 'x'.repeat(5000)],
])('knows no cluster that is named by %s', async (_, name) => {
  for (const what of ['', '/backups', '/kept-data', '/assessment']) {
    const { status } = await supertest(backend!.server).get(
      `/api/cluster-backup/clusters/by-entity/resource/default/${name}${what}`,
    );
    expect(status).toBe(404);
  }
});

it('does not restore with another key, and says that nothing was changed; approved alone, owners are told', async () => {
  const backup = await backUp();
  const asked = { backupId: backup.id, reason: 'It burns.' };
  const { body: request } = await post(`${CLUSTER}/restore-requests`, asked);
  await follow(request.check.id);
  const alone = { emergency: true, reason: 'Nobody else is awake.' };
  const path = `/restore-requests/${request.id}/approve`;
  const others = await post(path, alone, SECOND);
  expect(others.body.error.code).toBe('emergency-not-member');
  const approved = await post(path, alone);
  expect(approved.body.decision).toMatchObject({ isEmergency: true });
  expect(send).toHaveBeenLastCalledWith({
    recipients: expect.objectContaining({
      entityRef: expect.arrayContaining(['user:default/mock', SECOND]),
    }),
    payload: expect.objectContaining({ severity: 'critical' }),
  });
  const restore = await post(`${CLUSTER}/restores`, {
    requestId: request.id,
    confirmation: 'lab',
    fileKey: Buffer.alloc(16).toString('base64'),
  });
  const { operation } = await follow(restore.body.id);
  expect(operation).toMatchObject({
    status: 'failed',
    fault: {
      code: 'archive-wrong-key',
      state: 'Nothing on the cluster was changed.',
    },
  });
});

it('does not restore a cluster that it needs itself', async () => {
  const backup = await backUp();
  await backend!.stop();
  await startBackend({ portalClusters: ['lab'] });
  expect(await get(CLUSTER)).toMatchObject({ runsPortal: true });
  const refused = await post(`${CLUSTER}/restores`, {
    backupId: backup.id,
    confirmation: 'lab',
  });
  expect(refused.status).toBe(409);
  expect(refused.body.error).toMatchObject({
    code: 'cluster-runs-portal',
    details: { command: expect.stringContaining('--backup-file') },
  });
});

it('takes a backup again that its portal left', async () => {
  const { body } = await post(`${CLUSTER}/backups`);
  await follow(body.id, ({ step }) => step !== undefined);
  await backend!.stop();
  await startBackend();
  const { operation, log } = await follow(body.id);
  expect(operation).toMatchObject({ status: 'succeeded', attempt: 2 });
  expect(log.map(({ message }) => message)).toContain(
    'The portal was stopped. It waits to be started again.',
  );
  // What the first attempt had written is gone.
  const stored = await readdir(join(folder, 'store'), { recursive: true });
  expect(stored.filter(name => name.includes('.part'))).toEqual([]);
});

it('undoes a restore that its portal left, and lets nothing else begin before', async () => {
  const backup = await backUp();
  const id = await interruptAt(backup, 'park-control-plane');
  expect(await get(`/operations/${id}`)).toMatchObject({
    status: 'interrupted',
    onlyForward: false,
    needsArchive: false,
  });
  const fileKey = await fileKeyOf(backup);
  const another = await post(`${CLUSTER}/restores`, {
    backupId: backup.id,
    confirmation: 'lab',
    fileKey,
  });
  expect(another.status).toBe(409);
  const waiting = await post(`${CLUSTER}/backups`);
  const cancel = await post(`/operations/${id}/cancel`);
  expect(cancel.body.error.code).toBe('operation-not-cancellable');

  const undo = await post(`/operations/${id}/undo`);
  expect(undo.status).toBe(202);
  expect(undo.body).toMatchObject({ status: 'running', undoing: true });
  const { operation } = await follow(id);
  expect(operation).toMatchObject({ status: 'undone', attempt: 2 });
  expect((await follow(waiting.body.id)).operation.status).toBe('succeeded');
  expect((await post(`/operations/${id}/undo`)).status).toBe(409);
});

it('asks for the key to resume a restore whose preparation was not finished', async () => {
  const api = await configMaps();
  await api.createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'again' } },
  });
  const backup = await backUp();
  await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'again' });

  const id = await interruptAt(backup, 'receive');
  expect(await get(`/operations/${id}`)).toMatchObject({ needsArchive: true });
  const keyless = await post(`/operations/${id}/resume`);
  expect(keyless.status).toBe(202);
  expect((await follow(id)).operation).toMatchObject({
    status: 'interrupted',
    needsArchive: true,
    onlyForward: false,
    fault: { code: 'resume-needs-archive' },
  });
  const fileKey = await fileKeyOf(backup);
  const resumed = await post(`/operations/${id}/resume`, { fileKey });
  expect(resumed.status).toBe(202);
  const { operation } = await follow(id);
  expect(operation).toMatchObject({ status: 'succeeded', undoing: false });
  expect(await names()).toContain('again');
});

it('goes only forward once an API server may have run', async () => {
  const backup = await backUp();
  const id = await interruptAt(backup, 'return-api-servers');
  expect(await get(`/operations/${id}`)).toMatchObject({
    status: 'interrupted',
    onlyForward: true,
  });
  await post(`/operations/${id}/undo`);
  const { operation: refused } = await follow(id);
  expect(refused).toMatchObject({
    status: 'interrupted',
    onlyForward: true,
    fault: { code: 'restore-past-return' },
  });
  await post(`/operations/${id}/resume`);
  const { operation } = await follow(id);
  expect(operation.status).toBe('succeeded');
  expect(operation.fault).toBeUndefined();
  expect(operation.outageSeconds).toBeGreaterThan(0);
});

it('cancels a restore before its point of no return', async () => {
  const backup = await backUp();
  const { body } = await post(`${CLUSTER}/restores`, {
    backupId: backup.id,
    confirmation: 'lab',
    fileKey: await fileKeyOf(backup),
  });
  const cancelled = await post(`/operations/${body.id}/cancel`);
  expect(cancelled.body).toMatchObject({ cancelRequested: true });
  const { operation } = await follow(body.id);
  expect(operation).toMatchObject({
    status: 'cancelled',
    fault: { code: 'cancelled' },
  });
  expect((await get(CLUSTER)).current).toBeUndefined();
});

it('keeps a copy in every store that takes one, makes those that are missing, and finds what was altered', async () => {
  const vault = join(folder, 'vault');
  const verify = async ({ id }: Backup) => {
    const { status, body } = await post(`/backups/${id}/verifications`);
    expect(status).toBe(202);
    const { operation } = await follow(body.id);
    return { operation, copies: (await get(`/backups/${id}`)).copies };
  };

  await rename(vault, `${vault}.aside`);
  await writeFile(vault, 'no directory');
  const backup = await backUp();
  expect(backup.copies).toMatchObject([
    { store: 'local', state: 'good' },
    { store: 'vault', state: 'missing', fault: { code: 'store-unavailable' } },
  ]);

  await rm(vault);
  await rename(`${vault}.aside`, vault);
  const made = await verify(backup);
  expect(made.operation).toMatchObject({ status: 'succeeded', kind: 'verify' });
  expect(made.copies).toMatchObject([
    { store: 'local', state: 'good' },
    { store: 'vault', state: 'good', verifiedAt: expect.any(String) },
  ]);
  expect(made.copies[1].fault).toBeUndefined();
  const read = (store: string) => readFile(join(folder, store, backup.key));
  expect((await read('vault')).equals(await read('store'))).toBe(true);

  const altered = await read('store');
  altered[altered.length >> 1] ^= 1;
  await writeFile(join(folder, 'store', backup.key), altered);
  const found = await verify(backup);
  expect(found.operation.status).toBe('succeeded');
  expect(found.copies).toMatchObject([
    { store: 'local', state: 'damaged', fault: { code: 'copy-damaged' } },
    { store: 'vault', state: 'good' },
  ]);
  const restore = await post(`${CLUSTER}/restores`, {
    backupId: backup.id,
    confirmation: 'lab',
    fileKey: await fileKeyOf(backup),
  });
  expect((await follow(restore.body.id)).operation.status).toBe('succeeded');

  await rm(join(vault, `${backup.key}.summary.json`));
  const lost = await verify(backup);
  expect(lost.operation).toMatchObject({
    status: 'failed',
    fault: { code: 'no-good-copy' },
  });
  expect(lost.copies).toMatchObject([
    { state: 'damaged' },
    { state: 'missing', fault: { code: 'store-file-missing' } },
  ]);
});

it('keeps a backup in every store that takes the hold, and releases it from all', async () => {
  const vault = join(folder, 'vault');
  const putAway = async () => {
    await rename(vault, `${vault}.aside`);
    await writeFile(vault, 'no directory');
  };
  const putBack = async () => {
    await rm(vault);
    await rename(`${vault}.aside`, vault);
  };
  const backup = await backUp();
  const holdIn = async (store: string) =>
    JSON.parse(
      await readFile(join(folder, store, `${backup.key}.hold.json`), 'utf8'),
    );
  expect((await release(backup)).body.error).toMatchObject({
    name: 'ConflictError',
    code: 'backup-not-held',
  });

  await putAway();
  const partly = await hold(backup, ' Before the migration ');
  await putBack();
  expect(partly.status).toBe(200);
  const held = {
    by: 'user:default/mock',
    at: expect.any(String),
    reason: 'Before the migration',
  };
  expect(partly.body).toMatchObject({
    backup: { id: backup.id, hold: held },
    failed: [{ store: 'vault', fault: { code: 'store-unavailable' } }],
  });
  expect(await get(`/backups/${backup.id}`)).toEqual(partly.body.backup);
  expect(await holdIn('store')).toEqual({ formatVersion: 1, ...held });
  const again = await hold(backup, 'Another reason');
  expect([again.status, again.body.error.code]).toEqual([409, 'backup-held']);

  const released = await release(backup);
  expect([released.status, released.body]).toEqual([200, backup]);
  await expect(holdIn('store')).rejects.toThrow('ENOENT');

  const whole = await hold(backup, 'Once more');
  expect(whole.body.failed).toEqual([]);
  expect(await holdIn('vault')).toEqual(await holdIn('store'));
  await putAway();
  const stuck = await release(backup);
  await putBack();
  expect([stuck.status, stuck.body.error]).toMatchObject([
    503,
    {
      code: 'hold-not-released',
      message: expect.stringContaining('not gone from vault.'),
    },
  ]);
  expect((await get(`/backups/${backup.id}`)).hold).toBeDefined();
  expect((await release(backup)).body.hold).toBeUndefined();
  await expect(holdIn('vault')).rejects.toThrow('ENOENT');

  const by = 'user:default/mock';
  expect(await get(`/backups/${backup.id}/custody`)).toMatchObject([
    { event: 'released', by },
    { event: 'held', by, why: 'Once more' },
    { event: 'released', by },
    { event: 'held', by, why: 'Before the migration' },
    { event: 'created', by, operationId: backup.operationId },
  ]);
});

it('gives out an archive as a store has it, and writes down to whom', async () => {
  const backup = await backUp();
  const stored = await readFile(join(folder, 'store', backup.key));
  const { status, headers, body } = await supertest(backend!.server)
    .get(`/api/cluster-backup/backups/${backup.id}/archive`)
    .buffer()
    .parse((response, done) => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () => done(null, Buffer.concat(chunks)));
    });
  expect(status).toBe(200);
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['content-disposition']).toMatch(/lab_backup_.*\.age"$/);
  expect(stored.equals(body)).toBe(true);
  expect((await get(`/backups/${backup.id}/custody`))[0]).toMatchObject({
    event: 'downloaded',
    by: 'user:default/mock',
  });
});

it('prints a runbook: where archives and machines are, and what to do', async () => {
  const { backups }: BackupPage = await get(`${CLUSTER}/backups?limit=1`);
  const [{ key, sha256, signer }] = backups;
  const { status, headers, text } = await supertest(backend!.server).get(
    `/api/cluster-backup${CLUSTER}/runbook`,
  );
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/markdown; charset=utf-8');
  for (const told of [
    `| \`local\` | \`${join(folder, 'store')}, on the portal's machines\` |`,
    `\`${key}\``,
    `\`${sha256}\``,
    `Archives are signed by \`${signer}\``,
    `restore -c lab \\\n  --backup-file ${basename(
      key,
    )} \\\n  --identity identity.txt`,
    '| `cp-1` | etcd member `cp-1` | ',
    '### 1. On your own machine: open the archive',
  ]) {
    expect(text).toContain(told);
  }
  expect(text).not.toContain('AGE-SECRET-KEY');
});

it('takes a backup under a chosen name into chosen stores', async () => {
  const choices = { name: 'before-upgrade', stores: ['vault'] };
  const backup = await backUp(CLUSTER, choices);
  expect(backup.key).toMatch(/\/before-upgrade\.tar\.gz\.age$/);
  expect(backup.copies).toMatchObject([{ store: 'vault', state: 'good' }]);
  const { operationId } = backup;
  expect(await get(`/operations/${operationId}`)).toMatchObject({ choices });
  const { body: again } = await post(`${CLUSTER}/backups`, choices);
  expect((await follow(again.id)).operation).toMatchObject({
    status: 'failed',
    fault: { code: 'archive-name-taken' },
  });
  for (const [wrong, ...refusal] of [
    [{ name: '../up' }, 400, 'archive-name-unsafe'],
    [{ name: 'plain.tar.gz' }, 400, 'archive-name-unsafe'],
    [{ stores: ['attic'] }, 404, 'store-unknown'],
    [{ stores: [] }, 400, 'request-invalid'],
  ] as const) {
    const { status, body } = await post(`${CLUSTER}/backups`, wrong);
    expect([status, body.error.code]).toEqual(refusal);
  }
});

it('knows its backups again when its database was lost', async () => {
  const made = await backUp(CLUSTER, { name: 'for-auditors' });
  await hold(made, 'For the auditors');
  const backup: Backup = await get(`/backups/${made.id}`);
  expect(backup.hold).toMatchObject({ reason: 'For the auditors' });
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const store of ['store', 'vault']) {
    await utimes(join(folder, store, backup.key), twoHoursAgo, twoHoursAgo);
  }
  for (const table of ['backup_copies', 'backups']) await knex(table).delete();
  const { backups: none } = await get(`${CLUSTER}/backups`);
  expect(none).toEqual([]);

  const backups = new DatabaseBackupRecordStore(knex);
  const types: StoreType[] = [];
  storeTypeCollection(types);
  const clusters = new ConfiguredClusters({
    configuration: readConfiguration(section, {
      folder,
      origin: 'of the test',
    }),
    storeTypes: types,
    backups,
    limits: DEFAULT_LIMITS,
  });
  const logger = mockServices.logger.mock();
  const identities = new StoreIdentities(knex);
  const never = new AbortController().signal;
  for (let day = 1; day <= 2; day++) {
    const auditor = mockServices.auditor.mock();
    const tending = { logger, auditor, clusters, backups, identities };
    await tendAll(tending, never);
  }

  const { backups: found } = await get(`${CLUSTER}/backups`);
  const { id, requestedBy, operationId, ...facts } = backup;
  expect(found).toEqual([
    {
      ...facts,
      id: expect.any(String),
      foundAt: expect.any(String),
      copies: [
        { store: 'local', state: 'unknown', checkedAt: expect.any(String) },
        { store: 'vault', state: 'unknown', checkedAt: expect.any(String) },
      ],
    },
  ]);
  const lookJob = () =>
    clusters.jobOf({
      operation: { kind: 'check', clusterRef: backup.clusterRef },
    } as Claim);
  expect(await lookJob()).toMatchObject({
    type: 'check',
    lastBackup: { description: { nodes: [{ name: 'cp-1' }] } },
  });
  const summaries = ['store', 'vault'].map(store =>
    join(folder, store, `${backup.key}.summary.json`),
  );
  for (const path of summaries) await rename(path, `${path}.away`);
  expect(await lookJob()).toMatchObject({
    type: 'check',
    lastBackup: { fault: { remedy: expect.any(String) } },
  });
  for (const path of summaries) await rename(`${path}.away`, path);

  const verification = await post(`/backups/${found[0].id}/verifications`);
  await follow(verification.body.id);
  expect((await get(`/backups/${found[0].id}`)).copies).toMatchObject([
    { store: 'local', state: 'good' },
    { store: 'vault', state: 'good' },
  ]);
});

it('counts a recipient as proven when its identity opened a challenge', async () => {
  const [{ recipient, ...unproven }] = (await get(CLUSTER)).recipients;
  expect(unproven).toEqual({ isProven: false });

  const ask = (body: object) => post(`${CLUSTER}/recipient-challenges`, body);
  const unknown = await ask({ recipient: 'age1somebody' });
  expect(unknown.status).toBe(404);
  expect(unknown.body.error.code).toBe('recipient-unknown');

  const { body: challenge } = await ask({ recipient });
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  const answer = await decrypter.decrypt(
    new Uint8Array(Buffer.from(challenge.sealed, 'base64')),
    'text',
  );
  const prove = (change: object) =>
    post(`${CLUSTER}/recipient-proofs`, {
      recipient,
      expiresAt: challenge.expiresAt,
      answer,
      ...change,
    });
  for (const change of [
    { answer: 'AAAA' },
    { expiresAt: '2999-01-01T00:00:00.000Z' },
  ]) {
    const refused = await prove(change);
    expect([refused.status, refused.body.error.code]).toEqual([
      400,
      'request-invalid',
    ]);
  }
  expect((await get(CLUSTER)).recipients[0].isProven).toBe(false);

  const proof = {
    recipient,
    isProven: true,
    provenAt: expect.any(String),
    provenBy: 'user:default/mock',
  };
  const proven = await prove({});
  expect([proven.status, proven.body]).toEqual([200, proof]);
  expect((await get(CLUSTER)).recipients).toEqual([proof]);

  const aYearAgo = Date.now() - 366 * 24 * 3_600_000;
  await knex('recipient_proofs').update({ proven_at: aYearAgo });
  expect((await get(CLUSTER)).recipients[0].isProven).toBe(false);
});

it('restores and resumes an archive that is not encrypted without any key', async () => {
  await backend!.stop();
  section = { ...section, recipients: [], dangerouslyStoreUnencrypted: true };
  await startBackend();
  const api = await configMaps();
  await api.createNamespacedConfigMap({
    namespace: 'default',
    body: { metadata: { name: 'bare' } },
  });
  const backup = await backUp();
  expect(backup).toMatchObject({
    isEncrypted: false,
    key: expect.stringMatching(/\.tar\.gz$/),
    reservations: [expect.objectContaining({ id: 'archive-unencrypted' })],
  });
  await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'bare' });

  const id = await interruptAt(backup, 'receive');
  expect(await get(`/operations/${id}`)).toMatchObject({ needsArchive: true });
  expect((await post(`/operations/${id}/resume`)).status).toBe(202);
  const { operation } = await follow(id);
  expect(operation).toMatchObject({ status: 'succeeded', undoing: false });
  expect(await names()).toContain('bare');
});
