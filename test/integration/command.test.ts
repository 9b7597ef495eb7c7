import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  copyFile,
  mkdtemp,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createReadStream, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { makeSeed } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { setStage, Stage } from './stage';
import { expectUntouched, look } from './unharmed';

jest.setTimeout(180_000);

const run = promisify(execFile);
const checkout = resolve(__dirname, '../..');
const program = 'packages/cli/dist/cluster-backup.cjs';

let folder: string;
let stage: Stage;
let key: string;

beforeAll(async () => {
  execFileSync('scripts/command', { cwd: checkout });
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
  const files = {
    'cluster-backup.yaml': `recipients: [${recipient}]`,
    'zstd.yaml': `recipients: [${recipient}]
  compression: zstd`,
    'unencrypted.yaml': 'dangerouslyStoreUnencrypted: true',
    // Of somebody who has the archives and their key, and trusts nobody yet.
    'elsewhere.yaml': 'signingKeyFile: another.pem',
  };
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(
      join(folder, name),
      `clusterBackup:
  ${lines}
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
}

/** Runs our command as a program does; `interruptAt` is what it says when Ctrl-C is pressed. */
function ours(
  args: string[],
  options: { config?: string; interruptAt?: string } = {},
) {
  const { config = 'cluster-backup.yaml', interruptAt } = options;
  const [verb, ...rest] = args;
  const given = [
    ...[verb, '--output', 'json'],
    ...(verb === 'keygen' ? [] : ['--config', join(folder, config)]),
    ...(verb === 'restore' ? ['--yes'] : []),
    ...rest,
  ];
  return command(join(checkout, program), given, { interruptAt });
}

/** Runs a program of one file, as a person does. */
function command(
  file: string,
  args: string[],
  options: { interruptAt?: string; input?: string; cwd?: string } = {},
) {
  const { interruptAt, input, cwd } = options;
  const child = spawn(process.execPath, [file, ...args], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may end before it has read anything.
  child.stdin.on('error', () => {});
  if (input) createReadStream(input).pipe(child.stdin);
  else child.stdin.end();
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

it("backs up under a name of one's own, into one store or into any file", async () => {
  const codeOf = ({ code, stdout }: { code: number | null; stdout: string }) =>
    code ? JSON.parse(stdout).error.code : 'done';
  const backUp = (...args: string[]) =>
    ours(['backup', '--cluster', 'lab', ...args]);
  const named = await backUp('--name', 'before-upgrade', '--store', 'local');
  expect(named.code).toBe(0);
  const { key: chosen } = JSON.parse(named.stdout);
  expect(chosen).toMatch(
    /^default\/lab\/[0-9a-f]{8}\/before-upgrade\.tar\.gz\.age$/,
  );
  const identity = ['--identity', join(folder, 'identity.txt')];
  expect((await ours(['verify', '--backup', chosen, ...identity])).code).toBe(
    0,
  );
  expect(codeOf(await backUp('--name', 'before-upgrade'))).toBe(
    'archive-name-taken',
  );
  expect(codeOf(await backUp('--name', '../../up'))).toBe(
    'archive-name-unsafe',
  );
  expect(codeOf(await backUp('--store', 'nowhere'))).toBe(
    'configuration-wrong',
  );

  const file = join(folder, 'some where', 'by-hand.bak');
  const written = await backUp('--backup-file', file, '--use-disk', folder);
  expect(written.code).toBe(0);
  expect(JSON.parse(written.stdout).file).toBe(file);
  for (const made of [file, `${file}.summary.json`]) {
    expect((await stat(made)).mode & 0o777).toBe(0o600);
  }
  const carried = ['--backup-file', file];
  expect((await ours(['verify', ...carried, ...identity])).code).toBe(0);
  expect(codeOf(await ours(['verify', ...carried]))).toBe(
    'archive-key-missing',
  );
  expect(codeOf(await backUp(...carried))).toBe('archive-name-taken');
  const bare = ['backup', '--cluster', 'lab', '--use-disk'];
  expect(codeOf(await ours(bare, { config: 'unencrypted.yaml' }))).toBe(
    'spool-unencrypted',
  );
});

it('ends with 69 and tells what happened, how things are and what to do (bmctl failure 9)', async () => {
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
      { interruptAt: 'Send the snapshot' },
    );
    expect(code).toBe(130);
    expect(JSON.parse(stdout).error.code).toBe('cancelled');
    expect(stderr).toContain('taken back');
  } finally {
    await node.link.restore();
  }
  await expectUntouched(before, stage.lab);
});

it('restores, says what is left to do, and gives a way in that ends by itself', async () => {
  const config = new KubeConfig();
  config.loadFromString(await stage.lab.kubeconfig());
  const api = config.makeApiClient(CoreV1Api);
  await api.createNode({ body: { metadata: { name: 'long-gone' } } });
  const { key: made } = JSON.parse(
    (await ours(['backup', '--cluster', 'lab'])).stdout,
  );
  const archive = [
    ...['--backup', made],
    ...['--identity', join(folder, 'identity.txt')],
  ];

  const restored = await ours(['restore', '--cluster', 'lab', ...archive]);
  expect(restored.code).toBe(0);
  const { next } = JSON.parse(restored.stdout);
  expect(next).toContainEqual(
    expect.objectContaining({ code: 'node-stale', machine: 'long-gone' }),
  );
  expect(next).toContainEqual(
    expect.objectContaining({ code: 'credentials-of-the-backup' }),
  );
  const named = next.map(({ machine }: { machine: string }) => machine);
  expect(named).not.toContain('cp-1');
  expect(restored.stderr).toContain('kubectl delete node long-gone');

  const { operation } = JSON.parse(restored.stdout);
  const keptOf = async () =>
    JSON.parse((await ours(['kept', '--cluster', 'lab'])).stdout).kept;
  const kept = await keptOf();
  expect(kept).toEqual([
    expect.objectContaining({ operation, machine: 'cp-1' }),
  ]);
  expect(kept[0].bytes).toBeGreaterThan(24 << 20);
  const accept = (...what: string[]) =>
    ours(['accept', '--cluster', 'lab', ...what]);
  expect((await accept('--older-than-days', '1')).code).toBe(0);
  expect(await keptOf()).toEqual(kept);
  expect((await accept()).code).toBe(69);
  expect((await accept('--restore', operation)).code).toBe(0);
  expect(await keptOf()).toEqual([]);
  await expect(stage.lab.nodes[0].exec(['ls', kept[0].path])).rejects.toThrow(
    'No such file',
  );

  const file = join(folder, 'admin.conf');
  const asked = ['kubeconfig', '--cluster', 'lab', '--file', file];
  const given = await ours(asked);
  expect(given.code).toBe(0);
  expect(given.stdout + given.stderr).not.toContain('client-key-data');
  const { expiresAt } = JSON.parse(given.stdout);
  const minutes = (Date.parse(expiresAt) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(55);
  expect(minutes).toBeLessThanOrEqual(60);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const minted = new KubeConfig();
  minted.loadFromString(await readFile(file, 'utf8'));
  const { front } = stage.lab;
  Object.assign(minted.clusters[0], {
    server: `https://${front.host}:${front.port}`,
    skipTLSVerify: true,
  });
  const { items } = await minted.makeApiClient(CoreV1Api).listNode();
  expect(items.map(({ metadata }) => metadata!.name)).toContain('cp-1');

  const again = await ours(asked);
  expect(again.code).toBe(69);
  expect(JSON.parse(again.stdout).error.code).toBe('file-not-written');
});

it('makes a key that opens what is encrypted to it, once', async () => {
  const file = join(folder, 'new-identity.txt');
  const made = await ours(['keygen', file]);
  expect(made.code).toBe(0);
  const identity = await readFile(file, 'utf8');
  expect(made.stdout + made.stderr).not.toContain(
    identity.trim().split('\n').at(-1),
  );
  const { stdout } = await run('age-keygen', ['-y', file]);
  expect(JSON.parse(made.stdout)).toEqual({ recipient: stdout.trim(), file });

  const again = await ours(['keygen', file]);
  expect(again.code).toBe(69);
  expect(JSON.parse(again.stdout).error.code).toBe('identity-exists');
  expect(await readFile(file, 'utf8')).toBe(identity);
});

describe('of an archive whose signer nobody trusts here', () => {
  const restore = (...more: string[]) =>
    ours(['restore', '--cluster', 'lab', '--dry-run', ...more], {
      config: 'elsewhere.yaml',
    });
  const codeOf = ({ stdout }: { stdout: string }) =>
    JSON.parse(stdout).error.code;
  let signer: string;
  let sha256: string;
  beforeAll(async () => {
    const { stdout } = await ours(['verify', ...withKey()]);
    ({ signer, sha256 } = JSON.parse(stdout));
  });

  it('says that its origin is not proven, with or without a summary', async () => {
    const copy = join(folder, 'carried-here.tar.gz.age');
    await copyFile(join(folder, 'store', key), copy);
    const carried = [
      ...['--backup-file', copy],
      ...['--identity', join(folder, 'identity.txt')],
    ];
    for (const archive of [withKey(), carried]) {
      const refused = await restore(...archive);
      expect(refused.code).toBe(69);
      expect(codeOf(refused)).toBe('origin-not-proven');
      expect(refused.stderr).toContain('Origin not proven');
      expect(refused.stderr).toContain(`--signer ${signer}`);
      expect(refused.stderr).toContain(`--confirm-digest ${sha256}`);
    }
    const verified = await ours(['verify', ...withKey()], {
      config: 'elsewhere.yaml',
    });
    expect(verified.code).toBe(0);
    expect(verified.stderr).toContain('Origin not proven');
    expect(JSON.parse(verified.stdout)).toMatchObject({ signerTrusted: false });
  });

  it('takes it when its digest is confirmed, or its signer is named', async () => {
    const before = await look(stage.lab);
    for (const proof of [
      ['--confirm-digest', sha256],
      ['--signer', signer],
    ]) {
      const { code, stderr } = await restore(...withKey(), ...proof);
      expect([proof[0], code]).toEqual([proof[0], 0]);
      expect(stderr).toContain(`signed by ${signer}`);
    }
    await expectUntouched(before, stage.lab);
  });

  it('refuses another digest, and another signer', async () => {
    const other = await restore(
      ...withKey(),
      ...['--confirm-digest', 'f'.repeat(64)],
    );
    expect(codeOf(other)).toBe('digest-not-confirmed');
    const pinned = await restore(
      ...withKey(),
      ...['--signer', 'SHA256:somebody', '--confirm-digest', sha256],
    );
    expect(codeOf(pinned)).toBe('summary-signer-untrusted');
  });
});

it.each([
  ['zstd.yaml', '.tar.zst.age', () => ['--identity', 'identity.txt']],
  ['unencrypted.yaml', '.tar.gz', () => []],
])(
  'takes and puts back archives of another form: %s',
  async (config, end, withIdentity) => {
    const before = await look(stage.lab);
    const taken = await ours(['backup', '--cluster', 'lab', '--prove'], {
      config,
    });
    expect(taken.code).toBe(0);
    const { key: other, summary } = JSON.parse(taken.stdout);
    expect(other.endsWith(end)).toBe(true);
    const isBare = end === '.tar.gz';
    const reservations = summary.description.reservations.map(
      ({ id }: { id: string }) => id,
    );
    expect(reservations.includes('archive-unencrypted')).toBe(isBare);
    expect(taken.stderr.includes('stored unencrypted')).toBe(isBare);

    const archive = [
      ...['--backup', other],
      ...withIdentity().map(arg =>
        arg.startsWith('--') ? arg : join(folder, arg),
      ),
    ];
    expect((await ours(['verify', ...archive])).code).toBe(0);
    const restored = await ours([
      ...['restore', '--cluster', 'lab', '--dry-run'],
      ...archive,
    ]);
    expect(restored.stderr).toContain('The archive is whole');
    expect(restored.code).toBe(0);
    await expectUntouched(before, stage.lab);
  },
);

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

describe('as one file, with nothing beside it', () => {
  let elsewhere: string;
  let file: string;
  let archive: string;
  const alone = (args: string[], input?: string) =>
    command(file, args, { cwd: elsewhere, input });
  const identity = () => ['--identity', join(folder, 'identity.txt')];

  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'cluster-backup-alone-'));
    file = join(elsewhere, 'cluster-backup.cjs');
    await copyFile(join(checkout, program), file);
    const { key: made } = JSON.parse(
      (await ours(['backup', '--cluster', 'lab'])).stdout,
    );
    archive = join(elsewhere, made.split('/').at(-1)!);
    for (const end of ['', '.summary.json']) {
      await copyFile(join(folder, 'store', made) + end, archive + end);
    }
  });
  afterAll(() => rm(elsewhere, { recursive: true, force: true }));

  it('is small, and helps at once', async () => {
    expect((await stat(file)).size).toBeLessThan(3e6);
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      const { code, stdout } = await alone(['--help']);
      times.push(performance.now() - start);
      expect(code).toBe(0);
      expect(stdout).toContain('The day it is needed:');
    }
    expect(Math.min(...times)).toBeLessThan(300);
  });

  it('shows what an archive is, in words', async () => {
    const { code, stdout } = await alone(['show', '--backup-file', archive]);
    expect(code).toBe(0);
    expect(stdout).toContain('who is not trusted here');
    expect(stdout).toMatch(/^ {2}cp-1: root@127\.0\.0\.1 port \d+$/m);
  });

  it('ends with 64 where it is not understood', async () => {
    expect((await alone(['restore'])).code).toBe(64);
    expect((await alone(['reboot'])).code).toBe(64);
    expect((await alone(['restore', '--help'])).code).toBe(0);
  });

  it('does not replace a cluster that nobody confirmed, nor one by another name', async () => {
    const restore = (name: string) =>
      alone([
        ...['restore', '-c', name, '--backup-file', archive, ...identity()],
        ...['--signer', signerOf(archive)],
        ...['--ssh-key', join(folder, 'id')],
      ]);
    const unconfirmed = await restore('lab');
    expect(unconfirmed.code).toBe(69);
    expect(unconfirmed.stderr).toContain('(restore-not-confirmed)');
    expect((await restore('lob')).stderr).toContain('(archive-other-cluster)');
  });

  it('says that it needs a key where the archive has none', async () => {
    const { code, stderr } = await alone([
      ...['restore', '-c', 'lab', '--backup-file', archive, ...identity()],
      ...['--signer', signerOf(archive), '--yes'],
    ]);
    expect(code).toBe(69);
    expect(stderr).toContain('--ssh-key');
  });

  it('restores from standard input with the machines that the archive names, and backs up beside it what it replaces', async () => {
    const { code, stdout, stderr } = await alone(
      [
        ...['restore', '-c', 'lab', '--yes', '--backup-file', '-'],
        ...[...identity(), '--ssh-key', join(folder, 'id')],
        ...['--signer', signerOf(archive)],
      ],
      archive,
    );
    expect(stderr).toContain('What is about to be replaced was backed up');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^lab is restored; its API was away for \d+ s\.$/m),
    ]);
    const [operation] = /restore-[0-9A-Za-z-]+$/m.exec(stdout.trim())!;
    const { stdout: accepted } = await ours([
      ...['accept', '--cluster', 'lab', '--restore', operation],
    ]);
    expect(JSON.parse(accepted).removed).toHaveLength(1);
  });

  it('brings an archive into a store, where it is listed', async () => {
    const listed = async () => {
      const { stdout } = await ours(['list'], { config: 'imported.yaml' });
      return JSON.parse(stdout).backups;
    };
    await writeFile(
      join(folder, 'imported.yaml'),
      `clusterBackup:
  trustedSigners: ['${signerOf(archive)}']
  stores:
    - id: other
      filesystem: { path: imported }
  clusters: [{ name: lab }]
`,
    );
    expect(await listed()).toEqual([]);
    for (const _ of ['once', 'again']) {
      const done = await ours(['import', '--backup-file', archive], {
        config: 'imported.yaml',
      });
      expect([done.code, done.stderr]).toEqual([0, '']);
    }
    expect(await listed()).toEqual([
      expect.objectContaining({ cluster: 'lab', isHeld: false }),
    ]);
  });
});

function signerOf(archive: string): string {
  return JSON.parse(readFileSync(`${archive}.summary.json`, 'utf8')).signer;
}
