import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  ArchiveSource,
  BackupResult,
  generateAgeKey,
  MachineAccess,
  NOTHING_CHANGED,
  readArchive,
} from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { setStage, Stage } from './stage';
import { failureOf } from './told';
import { expectUntouched, look, Sight } from './unharmed';

jest.setTimeout(120_000);

let stage: Stage;
let backup: BackupResult;
let before: Sight;

beforeAll(async () => {
  stage = await setStage({
    nodes: 3,
    login: 'sudo',
    etcdDisk: { sizeMiB: 384 },
  });
  // What does not compress makes an archive of several chunks.
  for (let i = 0; i < 3; i++) {
    const input = randomBytes(192 << 10).toString('base64');
    await stage.lab.nodes[0].etcdctl(['put', `/lab/bulk-${i}`], { input });
  }
  backup = await stage.backUp();
  before = await look(stage.lab);
});
afterAll(() => stage?.stop());

/** Makes a machine less than it should be; what it resolves with makes it whole again. */
type Arrange = (node: LabNode) => Promise<() => Promise<unknown>>;

interface Case {
  name: string;
  arrange: Arrange;
  code: string;
  /** What a backup does about one such machine of three. */
  backup: 'reservation' | 'refusal' | 'nothing';
  /** Whether a backup is refused where it is the only machine. */
  needed?: boolean;
}

/** Keeps files of a machine until it is whole again. */
async function keeping(node: LabNode, paths: string[]) {
  const kept = await Promise.all(paths.map(path => node.readFile(path)));
  return async () => {
    for (const [i, path] of paths.entries()) {
      await node.writeFile(path, kept[i]);
    }
  };
}

/** What becomes of a backup while something is wrong with a machine, which is known by its code. */
async function whatABackupDoes(
  node: LabNode,
  code: string,
): Promise<Case['backup']> {
  const stored = await stage.stored();
  const taking = stage.backUp();
  const taken = await taking.catch(() => undefined);
  if (taken) {
    return taken.reservations.some(
      found => found.machine === node.name && found.code === code,
    )
      ? 'reservation'
      : 'nothing';
  }
  const failure = await failureOf(taking, stage);
  expect(failure).toMatchObject({
    code,
    message: expect.stringContaining(node.name),
    state: expect.stringContaining(NOTHING_CHANGED),
  });
  expect(await stage.stored()).toEqual(stored);
  return 'refusal';
}

const withoutTool =
  (name: string): Arrange =>
  async node => {
    await node.system.hideTool(name);
    return () => node.system.showTool(name);
  };

const withOtherAuthority =
  (path: string): Arrange =>
  async node => {
    const back = await keeping(node, [path]);
    await node.exec([
      'sh',
      '-euc',
      `scratch=$(mktemp -d)
       openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 9 \
         -subj /CN=another -keyout "$scratch/key" -out "$scratch/crt" 2>/dev/null
       cat "$scratch/crt" > "$1"
       rm -r "$scratch"`,
      'sh',
      path,
    ]);
    return back;
  };

const cases: Case[] = [
  {
    name: 'a machine that is unreachable',
    code: 'machine-unreachable',
    backup: 'reservation',
    needed: true,
    arrange: async node => {
      await node.login.stopSsh();
      return () => node.login.startSsh();
    },
  },
  {
    name: 'a wrong SSH key',
    code: 'machine-login-refused',
    backup: 'reservation',
    needed: true,
    arrange: async node => {
      const back = await keeping(node, ['/home/ops/.ssh/authorized_keys']);
      await node.login.rotateClientKey();
      return back;
    },
  },
  {
    name: 'a changed host key',
    code: 'host-key-changed',
    backup: 'reservation',
    needed: true,
    arrange: async node => {
      const path = '/etc/ssh/ssh_host_ed25519_key';
      const back = await keeping(node, [path, `${path}.pub`]);
      await node.login.rotateHostKey();
      return back;
    },
  },
  {
    name: 'no sudo',
    code: 'sudo-refused',
    backup: 'reservation',
    needed: true,
    arrange: async node => {
      await node.login.forbidSudo();
      return () => node.login.allowSudo();
    },
  },
  {
    name: 'a kubelet that is down',
    code: 'kubelet-down',
    backup: 'reservation',
    arrange: async node => {
      await node.system.stopKubelet();
      return () => node.system.startKubelet();
    },
  },
  {
    name: 'a clock that is off',
    code: 'clock-skew',
    backup: 'reservation',
    arrange: async node => {
      await node.system.skewClock(-120);
      return () => node.system.setClockRight();
    },
  },
  {
    name: 'a disk that is too small',
    code: 'disk-too-small',
    backup: 'nothing',
    arrange: async node => {
      await node.exec(['fallocate', '-l', '150M', '/var/lib/etcd/filler']);
      return () => node.system.freeDisk();
    },
  },
  {
    name: 'a directory of manifests that cannot be written to (bmctl failure 4)',
    code: 'directory-not-writable',
    backup: 'nothing',
    arrange: async node => {
      await node.system.makeUnwritable('/etc/kubernetes/manifests');
      return () => node.system.makeWritable('/etc/kubernetes/manifests');
    },
  },
  {
    name: 'no crictl',
    code: 'machine-command-missing',
    backup: 'reservation',
    arrange: withoutTool('crictl'),
  },
  {
    name: 'no tar',
    code: 'machine-command-missing',
    backup: 'refusal',
    needed: true,
    arrange: withoutTool('tar'),
  },
  {
    name: 'no way to a tool that restores',
    code: 'etcd-tool-missing',
    backup: 'reservation',
    arrange: withoutTool('ctr'),
  },
  {
    name: 'another certificate authority of the cluster',
    code: 'ca-differs',
    backup: 'refusal',
    arrange: withOtherAuthority('/etc/kubernetes/pki/ca.crt'),
  },
  {
    name: 'another certificate authority of etcd',
    code: 'ca-differs',
    backup: 'refusal',
    arrange: withOtherAuthority('/etc/kubernetes/pki/etcd/ca.crt'),
  },
];

describe.each(cases)('$name', ({ arrange, code, backup: does, needed }) => {
  let node: LabNode;
  let back: () => Promise<unknown>;

  beforeAll(async () => {
    node = stage.lab.nodes[1];
    back = await arrange(node);
  });
  afterAll(async () => {
    await back?.();
    await expectUntouched(before, stage.lab);
  });

  it('keeps a restore from beginning', async () => {
    const failure = await failureOf(stage.restore(backup), stage);
    expect(failure).toMatchObject({ code });
    expect(failure.message).toContain(node.name);
    expect(failure.state).toContain(NOTHING_CHANGED);
  });

  it(`is a matter of ${does} to a backup`, async () => {
    expect(await whatABackupDoes(node, code)).toBe(does);
  });

  if (needed) {
    it('keeps a backup from beginning where there is no other machine', async () => {
      const { cluster } = stage;
      const [, alone] = cluster.controlPlane;
      const failure = await failureOf(
        stage.backUp({ cluster: { ...cluster, controlPlane: [alone] } }),
        stage,
      );
      expect(failure).toMatchObject({ code });
      expect(failure.message).toContain(node.name);
    });
  }
});

describe('an archive', () => {
  afterEach(() => expectUntouched(before, stage.lab));

  const restoreFrom = (archive: Partial<ArchiveSource>) =>
    failureOf(
      stage.restore(backup, {
        archive: { ...stage.archive(backup), ...archive },
      }),
      stage,
    );

  const changed = (
    change: (bytes: Buffer) => Buffer,
  ): Pick<ArchiveSource, 'open'> => ({
    open: async signal => {
      const source = await stage.archive(backup).open(signal);
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(chunk);
      return Readable.from(inParts(change(Buffer.concat(chunks))));
    },
  });

  it('that is cut short is noticed, and everything taken back', async () => {
    const failure = await restoreFrom(
      changed(bytes => bytes.subarray(0, bytes.length * 0.9)),
    );
    expect(failure.code).toBe('archive-truncated');
  });

  it('that was altered is noticed, and everything taken back', async () => {
    const failure = await restoreFrom(
      changed(bytes => {
        bytes[Math.floor(bytes.length * 0.6)] ^= 1;
        return bytes;
      }),
    );
    expect(failure.code).toBe('archive-altered');
  });

  it('whose store gives other bytes than when it was verified is noticed, in the one pass that is used', async () => {
    const { open, sha256, key } = stage.archive(backup);
    let reads = 0;
    const lying: ArchiveSource['open'] = async signal => {
      reads++;
      if (reads === 1) return open(signal);
      const other = await stage.backUp();
      return stage.archive(other).open(signal);
    };
    const { signal } = new AbortController();
    await readArchive(await lying(signal), { ...key, sha256 });
    const failure = await restoreFrom({ open: lying });
    expect(failure.code).toBe('archive-altered');
    expect(reads).toBe(2);
  });

  it('that is another than its summary says is not taken', async () => {
    const failure = await restoreFrom({ sha256: 'f'.repeat(64) });
    expect(failure.code).toBe('archive-altered');
  });

  it('that opens with another key only is not read', async () => {
    const { identity } = await generateAgeKey();
    const failure = await restoreFrom({ key: { identities: [identity] } });
    expect(failure.code).toBe('archive-wrong-key');
    expect(JSON.stringify(failure)).not.toContain(identity);
  });

  it('of an unknown signer is not taken', async () => {
    const failure = await restoreFrom({ trustedSigners: [] });
    expect(failure.code).toBe('archive-signer-unknown');
  });

  it('that is older than archives may be is not taken (bmctl failure 2)', async () => {
    const failure = await restoreFrom({ expireAfterDays: 0 });
    expect(failure.code).toBe('archive-expired');
  });

  it('of another cluster is not taken', async () => {
    const other = await setStage({ nodes: 1 });
    try {
      const failure = await restoreFrom(other.archive(await other.backUp()));
      expect(failure.code).toBe('archive-other-cluster');
      expect(failure.message).toContain('cp-1');
    } finally {
      await other.stop();
    }
  });
});

describe('access as it is configured', () => {
  const withAll = (
    change: (access: MachineAccess) => Partial<MachineAccess>,
  ) => ({
    ...stage.cluster,
    controlPlane: stage.cluster.controlPlane.map(access => ({
      ...access,
      ...change(access),
    })),
  });

  it('tells a private key that is none, without showing it', async () => {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'sec1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const broken = privateKey.replace(/.{20}\n-----END/, '\n-----END');
    const failure = await failureOf(
      stage.backUp({ cluster: withAll(() => ({ privateKey: broken })) }),
      stage,
    );
    expect(failure.code).toBe('ssh-key-unreadable');
    expect(JSON.stringify(failure)).not.toContain(broken.split('\n')[1]);
  });

  it('takes no host key that it does not know', async () => {
    const failure = await failureOf(
      stage.backUp({
        cluster: withAll(() => ({ hostKeys: { mode: 'strict' } })),
      }),
      stage,
    );
    expect(failure.code).toBe('host-key-unknown');
    expect(failure.message).toContain('cp-1');
  });
});

function* inParts(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 65536) {
    yield bytes.subarray(at, at + 65536);
  }
}
