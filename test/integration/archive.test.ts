import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { BackupResult, MachineAccess } from '@cluster-backup/engine';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { restoredByHand } from '../proof/restoredByHand';
import { setStage, Stage } from './stage';
import { expectUntouched, look } from './unharmed';

jest.setTimeout(180_000);

const run = promisify(execFile);

let stage: Stage;
let backup: BackupResult;
let expected: Map<string, KeyFacts>;

beforeAll(async () => {
  stage = await setStage({ nodes: 3, workers: 1 });
  backup = await stage.backUp();
  expected = await contentsAt(
    stage.lab.nodes[0],
    backup.summary.facts.revision,
  );
});
afterAll(() => stage?.stop());

/** Runs a pipeline of stock tools in the stage's folder. */
async function tools(script: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await run(
    'bash',
    ['-euo', 'pipefail', '-c', script, 'bash', ...args],
    { cwd: stage.folder, maxBuffer: 64 << 20 },
  );
  return stdout.split('\n').filter(Boolean);
}

describe('an archive that Debian’s age and tar open', () => {
  let names: string[];

  beforeAll(async () => {
    await writeFile(join(stage.folder, 'identity.txt'), stage.identity);
    await mkdir(join(stage.folder, 'opened'));
    names = await tools(
      'age -d -i identity.txt "store/$1" | tar tz',
      backup.key,
    );
    await tools(
      'age -d -i identity.txt "store/$1" | tar xz --numeric-owner -C opened',
      backup.key,
    );
  });

  it('has its parts in their order', () => {
    expect(names[0]).toBe('backup.json');
    expect(names.slice(-3)).toEqual([
      'etcd/snapshot.db',
      'checksums.json',
      'signature',
    ]);
    expect(
      names.slice(1, -3).every(name => /^nodes\/cp-[123]\//.test(name)),
    ).toBe(true);
  });

  it('says where it comes from', async () => {
    const description = JSON.parse(
      await readFile(join(stage.folder, 'opened/backup.json'), 'utf8'),
    );
    expect(description).toMatchObject({
      formatVersion: 1,
      cluster: { name: 'lab', layout: 'kubeadm' },
      nodes: [{ name: 'cp-1' }, { name: 'cp-2' }, { name: 'cp-3' }],
      workers: [{ name: 'worker-1' }],
      reservations: [],
    });
    expect(JSON.stringify(description)).not.toContain('PRIVATE KEY');
  });

  it('keeps the files of every node, with their modes, owners and links', async () => {
    const listing = `cd "$1"
      find etc/kubernetes var/lib/kubelet/pki -printf '%p %y %m %U:%G %l\\n' | sort`;
    for (const node of stage.lab.nodes) {
      const there = await node.exec(['sh', '-c', listing, 'sh', '/']);
      const kept = await tools(
        listing,
        join(stage.folder, 'opened/nodes', node.name),
      );
      // Folders that only lead to a file are made by tar.
      const files = (lines: string[]) =>
        lines.filter(line => line.split(' ')[1] !== 'd');
      expect(files(kept)).toEqual(
        files(there.stdout.split('\n').filter(Boolean)),
      );
      expect(kept.some(line => line.includes(' l '))).toBe(true);
      const path = '/etc/kubernetes/pki/ca.key';
      expect(
        await readFile(
          join(stage.folder, 'opened/nodes', node.name, path),
          'utf8',
        ),
      ).toBe(await node.readFile(path));
    }
  });

  it('restores by hand with etcdutl, and the keys are the same', async () => {
    const snapshot = join(stage.folder, 'opened/etcd/snapshot.db');
    const found = await restoredByHand(snapshot, stage.folder, contentsAt);
    expect(differences(expected, found)).toEqual([]);
  });
});

describe('a backup and a dry run', () => {
  const opens = async (taken: BackupResult) => {
    const found = await contentsAt(
      stage.lab.nodes[0],
      taken.summary.facts.revision,
    );
    expect(differences(expected, found)).toEqual([]);
    expect(taken.summary.description.nodes).toHaveLength(3);
    expect(taken.reservations).toEqual([]);
  };

  it('pass through a jump host', async () => {
    const { cluster, lab } = stage;
    const [first, ...others] = cluster.controlPlane;
    const behind = (access: MachineAccess): MachineAccess => ({
      ...access,
      address: [...lab.nodes, ...lab.workers].find(
        ({ name }) => name === access.name,
      )!.internalAddress,
      port: 22,
      jump: first,
    });
    const through = {
      ...cluster,
      controlPlane: [first, ...others.map(behind)],
      workers: cluster.workers.map(behind),
    };
    const before = await look(lab);
    const taken = await stage.backUp({ cluster: through });
    await opens(taken);
    const { kept } = await stage.restore(taken, {
      cluster: through,
      dryRun: true,
    });
    expect(kept).toEqual([]);
    await expectUntouched(before, lab);
  });

  it('need no TCP forwarding', async () => {
    const { lab } = stage;
    const before = await look(lab);
    try {
      for (const node of lab.nodes) await node.login.forbidForwarding();
      const taken = await stage.backUp();
      await opens(taken);
      await stage.restore(taken, { dryRun: true });
      await expectUntouched(before, lab);
    } finally {
      for (const node of lab.nodes) await node.login.allowForwarding();
    }
  });
});

it('has a name of its own, also where another one was begun in the same second', async () => {
  const { store } = stage;
  const at = (seconds: number) => {
    const time = new Date(Date.now() + seconds * 1000).toISOString();
    const second = `${time.slice(0, 19).replace(/:/g, '')}Z`;
    return backup.key.replace(/\d{4}-\d{2}-\d{2}T\d{6}Z/, second);
  };
  const others = [0, 1, 2, 3].map(at);
  for (const key of others) await store.put(key, Readable.from(['another']));
  const taken = await stage.backUp();
  expect(others).not.toContain(taken.key);
  for (const key of others) {
    expect((await store.head(key))!.size).toBe('another'.length);
    await store.remove(key);
  }
});
