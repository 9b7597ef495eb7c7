import { spawn } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeSeed } from '@cluster-backup/lab';
import { setStage, Stage } from './stage';
import { expectUntouched, look } from './unharmed';

jest.setTimeout(180_000);

const checkout = resolve(__dirname, '../..');
const program = 'packages/cli/dist/cluster-backup.cjs';

let folder: string;
let stage: Stage;
let key: string;

beforeAll(async () => {
  execFileSync('scripts/bundle', ['packages/cli/src/main.ts', program], {
    cwd: checkout,
  });
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-command-'));
  const { snapshotPath } = await makeSeed({
    sizeMiB: 24,
    directory: folder,
    cacheDirectory: join(checkout, '.cache/lab'),
  });
  stage = await setStage({ nodes: 1, links: true, seed: snapshotPath });
  await configure();
});
afterAll(async () => {
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A configuration as an operator would write it. */
async function configure() {
  const { lab, identity, recipient } = stage;
  await writeFile(join(folder, 'identity.txt'), `${identity}\n`, {
    mode: 0o600,
  });
  const [machine] = lab.access().machines;
  await writeFile(join(folder, 'id'), machine.privateKey, { mode: 0o600 });
  await writeFile(join(folder, 'known_hosts'), machine.knownHosts);
  await writeFile(
    join(folder, 'cluster-backup.yaml'),
    `clusterBackup:
  recipients: [${recipient}]
  stores:
    - id: local
      filesystem: { path: store }
  clusters:
    - name: lab
      ssh: { user: root, privateKeyFile: id, knownHostsFile: known_hosts }
      controlPlane:
        - { name: cp-1, address: 127.0.0.1, port: ${machine.port} }
`,
  );
}

/** Runs our command as a person does; `interruptAt` is what it says when Ctrl-C is pressed. */
function ours(args: string[], interruptAt?: string) {
  const [verb, ...rest] = args;
  const child = spawn(
    process.execPath,
    [
      join(checkout, program),
      verb,
      ...['--config', join(folder, 'cluster-backup.yaml')],
      ...rest,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  let interrupted = false;
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
    if (interruptAt && !interrupted && stderr.includes(interruptAt)) {
      interrupted = true;
      child.kill('SIGINT');
    }
  });
  return new Promise<{ code: number | null; stdout: string; stderr: string }>(
    done => child.on('close', code => done({ code, stdout, stderr })),
  );
}

const withKey = () => [
  ...['--backup', key],
  ...['--identity', join(folder, 'identity.txt')],
];

it('backs up and verifies, and prints one JSON object', async () => {
  const backup = await ours(['backup', '--cluster', 'lab']);
  expect(backup.stderr).toContain('Stream the snapshot of cp-1');
  expect(backup.code).toBe(0);
  ({ key } = JSON.parse(backup.stdout));

  const verified = await ours(['verify', ...withKey()]);
  expect(verified.code).toBe(0);
  expect(JSON.parse(verified.stdout)).toMatchObject({
    cluster: { name: 'lab' },
    signerTrusted: true,
  });
});

it('ends with 69 and tells what happened, how things are and what to do', async () => {
  const before = await look(stage.lab);
  const [node] = stage.lab.nodes;
  await node.system.stopKubelet();
  try {
    const { code, stdout, stderr } = await ours([
      'restore',
      ...['--cluster', 'lab'],
      ...withKey(),
    ]);
    expect(code).toBe(69);
    expect(stderr).toMatch(/The kubelet of cp-1 is inactive/);
    expect(stderr).toMatch(/^Now: Nothing on the cluster was changed\.$/m);
    expect(stderr).toMatch(/^What to do: .*systemctl start kubelet/m);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(JSON.parse(stdout).error.code).toBe('kubelet-down');
  } finally {
    await node.system.startKubelet();
  }
  await expectUntouched(before, stage.lab);
});

it('says what is wrong with an archive that is not there', async () => {
  const { code, stderr } = await ours([
    'restore',
    ...['--cluster', 'lab', '--backup-file', join(folder, 'none.age')],
    ...['--identity', join(folder, 'identity.txt')],
  ]);
  expect(code).toBe(69);
  expect(stderr).toContain('none.age');
  expect(stderr).not.toMatch(/^\s+at /m);
});

it('takes everything back on Ctrl-C', async () => {
  const before = await look(stage.lab);
  const [node] = stage.lab.nodes;
  await node.link.slow({ bytesPerSecond: 2 << 20 });
  try {
    const { code, stdout, stderr } = await ours(
      ['restore', '--cluster', 'lab', ...withKey()],
      'Send the snapshot',
    );
    expect(code).toBe(130);
    expect(JSON.parse(stdout).error.code).toBe('cancelled');
    expect(stderr).toContain('taken back');
  } finally {
    await node.link.restore();
  }
  await expectUntouched(before, stage.lab);
});

it('keeps its secrets to itself', async () => {
  const secrets = await readFile(join(folder, 'identity.txt'), 'utf8');
  await writeFile(join(folder, 'id'), 'no key at all');
  try {
    const { code, stdout, stderr } = await ours(['check', '--cluster', 'lab']);
    expect(code).toBe(69);
    expect(stdout + stderr).not.toContain('no key at all');
    expect(stdout + stderr).not.toContain(secrets.trim());
  } finally {
    await configure();
  }
});
