import { execFile, execFileSync } from 'node:child_process';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, startLab } from '@cluster-backup/lab';
import {
  Backup,
  Operation,
  OperationStatus,
  restoreCommand,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { fileKeyOf } from '../portal/fileKey';
import { followOperation } from '../portal/followOperation';
import { Guest, signInAsGuest } from '../portal/guest';
import { LabPortal, startPortal } from '../portal/startPortal';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { membersAgree } from '../proof/members';

jest.setTimeout(300_000);

const checkout = resolve(__dirname, '../..');
const AFTER = '/registry/after';
/** A portal that was killed knows it after its lease, and asks the machines a while later. */
const KNOWN_WITHIN_MS = 150_000;

describe('without the portal', () => {
  let folder: string;
  let lab: Lab;
  let place: LabPortal;
  let guest: Guest;
  /** All that a person has kept, and the command. */
  let kept: string;
  let backup: Backup;
  let expected: Map<string, KeyFacts>;

  beforeAll(async () => {
    execFileSync('scripts/command', { cwd: checkout });
    folder = await mkdtemp(join(tmpdir(), 'cluster-backup-cli-'));
    kept = join(folder, 'kept');
    await mkdir(join(folder, 'home'));
    await mkdir(kept);
    await copyFile(
      join(checkout, 'packages/cli/dist/cluster-backup.cjs'),
      join(kept, 'cluster-backup.cjs'),
    );
    lab = await startLab({ nodes: 3, workers: 1 });
    const [{ privateKey }] = lab.access().machines;
    await writeFile(join(kept, 'ssh-key'), privateKey, { mode: 0o600 });
    await movePortalIn('first');
    await backUp();
  });
  afterAll(async () => {
    await place?.portal.stop();
    await lab?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** A portal of its own folder, database, keys and stores. */
  async function movePortalIn(name: string) {
    const own = join(folder, name);
    await mkdir(own);
    place = await startPortal(lab, own);
    guest = await signInAsGuest(place.url);
  }

  /** What is backed up, and what a person keeps of it: one file, and the identity. */
  async function backUp() {
    expected = await contentsAt(lab.nodes[0]);
    const { id } = await guest.api.startBackup(place.clusterRef);
    const { backupId } = await followOperation(guest.api, id, () => {});
    backup = await guest.api.getBackup(backupId!);
    const store = join(place.configured.identityFile, '../store');
    await copyFile(join(store, backup.key), join(kept, basename(backup.key)));
    await copyFile(place.configured.identityFile, join(kept, 'identity.txt'));
    await lab.nodes[0].etcdctl(['put', AFTER, 'the backup']);
  }

  /** The command as the portal showed it, with another verb; nothing else is installed or configured there. */
  const typed = (verb: string, ...more: string[]) =>
    typedOn(process.execPath, verb, ...more);
  /** The same on the oldest Node.js that it runs on. */
  const typedOnOlder = (verb: string, ...more: string[]) =>
    typedOn(process.env.OLDER_NODE!, verb, ...more);

  function typedOn(node: string, verb: string, ...more: string[]) {
    const command = [...restoreCommand('lab', backup), ...more]
      .join(' ')
      .replace(' restore ', ` ${verb} `)
      .replace(/^node /, 'exec "$NODE" ');
    return new Promise<{ code: unknown; stdout: string; stderr: string }>(
      done =>
        execFile(
          'sh',
          ['-c', command],
          {
            cwd: kept,
            env: {
              NODE: node,
              HOME: join(folder, 'home'),
              PATH: '/usr/bin:/bin',
            },
          },
          (error, stdout, stderr) =>
            done({ code: error?.code ?? 0, stdout, stderr }),
        ),
    );
  }

  const isAsBackedUp = async () => {
    const found = await contentsAt(lab.nodes[1]);
    expect(found.has(AFTER)).toBe(false);
    expect(differences(expected, found)).toEqual([]);
    expect(await membersAgree(lab.nodes)).toEqual([]);
  };

  /** Begins a restore and kills the portal, and its engine with it, while a step of the commit runs. */
  async function killPortalIn(step: string): Promise<string> {
    const identity = await readFile(place.configured.identityFile, 'utf8');
    const header = await guest.api.getBackupHeader(backup.id);
    const { id } = await guest.api.startRestore(place.clusterRef, {
      backupId: backup.id,
      confirmation: 'lab',
      fileKey: await fileKeyOf(header, identity),
    });
    for (let cursor = 0, isThere = false; !isThere; await sleep(20)) {
      const told = await guest.api.getOperationEvents(id, cursor);
      cursor = told.cursor;
      isThere = told.events.some(event => event.step === step);
      if (!['running', 'queued'].includes(told.operation.status)) {
        throw new Error(`It is ${told.operation.status} already.`);
      }
    }
    await place.portal.kill();
    return id;
  }

  async function seen(id: string, status: OperationStatus): Promise<Operation> {
    const { clusterRef } = place;
    const until = Date.now() + KNOWN_WITHIN_MS;
    let recent: Operation[] = [];
    while (Date.now() < until) {
      ({ recent } = await guest.api.getCluster(clusterRef));
      const found = recent.find(
        operation => operation.id === id && operation.status === status,
      );
      if (found) return found;
      await sleep(500);
    }
    throw new Error(`${id} is not ${status}: ${JSON.stringify(recent)}`);
  }

  let lost: string;

  it('brings a cluster back that lost everything, from one archive and one identity', async () => {
    await place.portal.kill();
    await rm(join(folder, 'first'), { recursive: true });
    for (const node of lab.nodes) await node.etcd.loseData();

    const tried = await typedOnOlder('restore', '--dry-run');
    expect(tried.stdout).toContain('lab could be restored');

    const { code, stdout, stderr } = await typed(
      'restore',
      ...['--yes', '--output', 'json'],
    );
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    lost = JSON.parse(stdout).operation;
    await isAsBackedUp();
    await lab.nodes[2].etcdctl(['put', '/registry/later', 'the restore']);
  });

  it('tells a new portal of it, that has nothing but the machines', async () => {
    await movePortalIn('second');
    const found = await seen(lost, 'succeeded');
    expect(found).toMatchObject({
      kind: 'restore',
      requestedBy: expect.stringMatching(/^\w+@/),
      endedAt: expect.any(String),
    });
    await backUp();
  });

  it('finishes a restore that the portal was killed in, and the portal knows', async () => {
    const id = await killPortalIn('swap-data');
    const resumed = await typed('resume');
    expect(resumed).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('lab is restored'),
    });
    await isAsBackedUp();
    await place.portal.start();
    guest = await signInAsGuest(place.url);
    await seen(id, 'succeeded');
    expect((await guest.api.getCustody(backup.id))[0]).toMatchObject({
      event: 'restored',
      operationId: id,
    });
  });

  it('takes a restore back that the portal was killed in, and the portal knows', async () => {
    await lab.nodes[0].etcdctl(['put', AFTER, 'the restore']);
    const before = await contentsAt(lab.nodes[0]);
    const id = await killPortalIn('park-etcd');
    const undone = await typedOnOlder('undo');
    expect(undone.code).toBe(0);
    const found = await contentsAt(lab.nodes[1]);
    expect(differences(before, found)).toEqual([]);
    expect(await membersAgree(lab.nodes)).toEqual([]);
    await place.portal.start();
    guest = await signInAsGuest(place.url);
    await seen(id, 'undone');
  });
});
