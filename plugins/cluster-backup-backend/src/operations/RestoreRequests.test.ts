import { TestDatabases } from '@backstage/backend-test-utils';
import { RequestedRestore } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { clusterAt } from '../__testUtils__/silentMachine';
import { DatabaseOperationStore } from '../database/DatabaseOperationStore';
import { openDatabase } from '../database/openDatabase';
import { RestoreRequestStore } from '../database/RestoreRequestStore';
import { PortalsOwnClusters } from './portalsOwnCluster';
import { RestoreRequests } from './RestoreRequests';

const clusterRef = 'resource:default/lab';
const ADA = 'user:default/ada';
const BOB = 'user:default/bob';

const databases = TestDatabases.create({ ids: ['SQLITE_3'] });
let knex: Knex;
let operations: DatabaseOperationStore;
let requests: RestoreRequests;
let cluster: ReturnType<typeof clusterAt>;
let backup: { clusterRef: string; sha256: string } | undefined;
let portalsOwn: PortalsOwnClusters;
/** What the stores have. */
let sha256: string;

beforeEach(async () => {
  knex = await databases.init('SQLITE_3');
  await openDatabase({ getClient: async () => knex });
  operations = new DatabaseOperationStore(knex);
  cluster = clusterAt(1);
  sha256 = 'a';
  portalsOwn = { authorities: [], names: [] };
  backup = { clusterRef, sha256 };
  requests = new RestoreRequests({
    portalsOwn,
    operations,
    requests: new RestoreRequestStore(knex),
    protectionOf: name => ({ secondPerson: name === 'lab' }),
    expireInMs: 60_000,
    worker: { wake() {} } as any,
    backups: {
      get: async () =>
        backup && {
          key: 'k',
          copies: [],
          createdAt: '2026-11-22T10:00:00Z',
          ...backup,
        },
    } as any,
    clusters: {
      name: () => 'lab',
      configuredName: () => 'lab',
      access: () => cluster,
      summary: async () => ({
        summary: {
          description: { cluster: { caFingerprint: 'f' } },
          ciphertext: { sha256 },
        },
      }),
    } as any,
  });
});

const request = (more: { overrides?: string[] } = {}) =>
  requests.request(clusterRef, ADA, {
    backupId: 'b',
    reason: 'It is lost.',
    ...more,
  });

/** A request whose check has ended. */
async function checked(): Promise<RequestedRestore> {
  const { id } = await request();
  const { lease } = (await operations.claim('a'))!;
  await operations.end(lease, {
    status: 'succeeded',
    message: 'Done',
    findings: [],
  });
  return requests.get(id);
}
const approve = ({ id }: { id: string }, by = BOB, isEmergency = false) =>
  requests.approve(id, by, { isEmergency });
const toStart = ({ id }: { id: string }, by = ADA) =>
  requests.approvedFor(id, { clusterRef, by });
const code = (wanted: string) =>
  expect.objectContaining({ code: wanted }) as any;

it('is not made for the cluster that the portal runs on', async () => {
  portalsOwn.authorities = ['f'];
  await expect(request()).rejects.toThrow(
    expect.objectContaining({ code: 'cluster-runs-portal' }),
  );
});

it('refuses a restore by one person alone where a second one is needed', () => {
  expect(() => requests.refuseAlone(clusterRef)).toThrow(
    code('approval-needed'),
  );
});

it('freezes archive, target and choices, and has the cluster checked', async () => {
  const requested = await request({ overrides: ['clock-skew'] });
  expect(requested).toMatchObject({
    status: 'pending',
    overrides: ['clock-skew'],
    archive: { key: 'k', sha256: 'a' },
    target: { machines: [{ login: 'root@127.0.0.1:1' }] },
    check: { status: 'queued' },
  });
  expect(await operations.get(requested.check.id)).toMatchObject({
    kind: 'check',
    requestedBy: ADA,
  });
  const rows = JSON.stringify(await knex('restore_requests').select());
  expect(rows).not.toContain('PRIVATE KEY');
});

it.each([
  [{ overrides: ['archive-other-cluster'] }, 'override-never'],
  [{ reason: ' ' }, 'reason-missing'],
])('refuses to ask for %j', async (asked, why) => {
  await expect(
    requests.request(clusterRef, ADA, {
      backupId: 'b',
      reason: 'x',
      withFiles: true,
      ...asked,
    }),
  ).rejects.toThrow(code(why));
});

it('is not asked for while a restore is not over', async () => {
  await operations.beginRestore({
    clusterRef,
    requestedBy: BOB,
    backupId: 'b',
    workerId: 'a',
  });
  await expect(request()).rejects.toThrow(code('cluster-busy'));
});

it('shows the approver what the requester saw, and waits for it', async () => {
  const requested = await request();
  await expect(approve(requested)).rejects.toThrow(code('check-unfinished'));
  const { lease } = (await operations.claim('a'))!;
  const finding = {
    check: 'clocks',
    level: 'refusal' as const,
    code: 'clock-skew',
    message: 'Late.',
    remedy: 'Set it.',
  };
  await operations.end(lease, {
    status: 'succeeded',
    message: 'Done',
    findings: [finding],
  });
  const { check } = await requests.get(requested.id);
  expect(check.findings).toEqual([finding]);
  expect(await approve(requested)).toMatchObject({
    status: 'approved',
    decision: { by: BOB, isEmergency: false },
    check: { findings: [finding] },
  });
});

it.each([ADA, 'User:Default/Ada', 'user:ada', 'ADA'])(
  'is not approved by the requester, as %s',
  async by => {
    const requested = await checked();
    await expect(approve(requested, by)).rejects.toThrow(
      code('approver-is-requester'),
    );
    await expect(toStart(requested)).rejects.toThrow(
      code('restore-request-closed'),
    );
  },
);

it('is approved by the requester in an emergency', async () => {
  const requested = await checked();
  await approve(requested, ADA, true);
  expect((await toStart(requested)).decision).toMatchObject({
    by: ADA,
    isEmergency: true,
  });
});

it('is started and taken back by the requester only', async () => {
  const requested = await checked();
  await approve(requested);
  await expect(toStart(requested, BOB)).rejects.toThrow(
    code('requester-needed'),
  );
  await expect(requests.withdraw(requested.id, BOB)).rejects.toThrow(
    code('requester-needed'),
  );
  await expect(
    requests.approvedFor(requested.id, { clusterRef: 'x:y/z', by: ADA }),
  ).rejects.toThrow(code('restore-request-closed'));
  expect((await toStart(requested)).id).toBe(requested.id);
  expect((await requests.withdraw(requested.id, ADA)).status).toBe('withdrawn');
  await expect(toStart(requested)).rejects.toThrow(
    code('restore-request-closed'),
  );
});

it('is over when somebody said no', async () => {
  const requested = await checked();
  expect(await requests.reject(requested.id, BOB, 'Not now.')).toMatchObject({
    status: 'rejected',
    decision: { by: BOB, reason: 'Not now.' },
  });
  await expect(approve(requested)).rejects.toThrow(
    code('restore-request-closed'),
  );
});

const changes: Record<string, () => unknown> = {
  'the backup is gone': () => {
    backup = undefined;
  },
  'the backup is another archive': () => {
    backup = { clusterRef, sha256: 'b' };
  },
  'a machine has another address': () => {
    cluster = clusterAt(2);
  },
  'a machine has another host key': () => {
    const [machine] = (cluster as any).controlPlane;
    machine.hostKeys = { mode: 'strict', pinned: ['SHA256:x'] };
  },
  'there is another machine': () => {
    const { controlPlane } = cluster as any;
    controlPlane.push({ ...controlPlane[0], name: 'cp-2' });
  },
  'a restore was begun since': async () => {
    const { lease } = (await operations.beginRestore({
      clusterRef,
      requestedBy: BOB,
      backupId: 'b',
      workerId: 'a',
    }))!;
    await operations.end(lease, { status: 'undone', message: 'Undone' });
  },
};
describe.each(Object.entries(changes))('when %s', (_, change) => {
  it('is void, before it is approved and after', async () => {
    const waiting = await checked();
    const started = await checked();
    await approve(started);
    await change();
    for (const { id } of [waiting, started]) {
      expect(await requests.get(id)).toMatchObject({
        status: 'void',
        voidBecause: [expect.any(String)],
      });
    }
    await expect(approve(waiting)).rejects.toThrow(
      code('restore-request-void'),
    );
    await expect(toStart(started)).rejects.toThrow(
      code('restore-request-void'),
    );
  });
});

it('is void when the stores have another archive than the record says', async () => {
  const requested = await checked();
  sha256 = 'b';
  await expect(approve(requested)).rejects.toThrow(
    code('restore-request-void'),
  );
});
