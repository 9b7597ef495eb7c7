/* eslint-disable jest/no-standalone-expect -- the rule does not know functions that are called by tests */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { BackupResult } from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { membersAgree } from '../proof/members';
import { setStage, Stage } from './stage';
import { expectAsBefore, look } from './unharmed';

jest.setTimeout(180_000);

/** Where the lab's runtime has what it holds. */
const IMAGES = '/var/lib/lab/images';

/** Everything that a restore with files could change on a node: kind, owner, mode, target and hash. */
async function filesOf(node: LabNode): Promise<string[]> {
  const { stdout } = await node.exec([
    'sh',
    '-c',
    `find /etc/kubernetes /var/lib/kubelet -printf '%y %U:%G %m %l %p\\n' | grep -v "^d"
find /etc/kubernetes /var/lib/kubelet -type f -exec sha256sum {} +`,
  ]);
  return stdout.split('\n').filter(Boolean).sort();
}

/** Its disk has been replaced: what set the machine up is there again, what made it a node is not. */
async function loseEverything(node: LabNode) {
  await node.system.stopKubelet();
  await node.exec([
    'sh',
    '-c',
    'rm -rf /etc/kubernetes/* /var/lib/kubelet/config.yaml /var/lib/kubelet/pki /var/lib/etcd/*',
  ]);
}

async function replaceSigningKey(node: LabNode) {
  await node.exec([
    'sh',
    '-euc',
    `cd /etc/kubernetes/pki
openssl ecparam -genkey -name prime256v1 -noout > sa.key
openssl ec -in sa.key -pubout > sa.pub 2>/dev/null`,
  ]);
}

async function replaceAuthority(node: LabNode) {
  await node.exec([
    'sh',
    '-euc',
    `cd /etc/kubernetes/pki
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=kubernetes -keyout ca.key -out ca.crt 2>/dev/null`,
  ]);
}

/** An etcdutl that knows no --bump-revision, as those of before did not. */
async function oldEtcdutl(folder: string): Promise<string> {
  const path = join(folder, 'old-etcdutl');
  const found = process.env
    .PATH!.split(delimiter)
    .map(directory => join(directory, 'etcdutl'))
    .find(existsSync);
  const program = await readFile(found!, 'latin1');
  const without = program.replaceAll('bump-revision', 'bumb-revision');
  await writeFile(path, without, 'latin1');
  return path;
}

describe.each([
  { flavor: 'kubeadm', nodes: 1, login: 'sudo' },
  { flavor: 'gdc', nodes: 3, login: 'root' },
] as const)('$flavor with $nodes node(s)', options => {
  let stage: Stage;
  let backup: BackupResult;
  let files: string[][];
  let contents: Map<string, KeyFacts>;
  beforeAll(async () => {
    stage = await setStage({ ...options, workers: 1 });
    backup = await stage.backUp();
    files = await Promise.all(stage.lab.nodes.map(filesOf));
    const { revision } = backup.summary.facts;
    contents = await contentsAt(stage.lab.nodes[0], revision);
    expect(contents.size).toBeGreaterThan(0);
  });
  afterAll(() => stage?.stop());

  async function expectRestored() {
    const { lab } = stage;
    expect(await Promise.all(lab.nodes.map(filesOf))).toEqual(files);
    expect(await membersAgree(lab.nodes)).toEqual([]);
    const found = await contentsAt(lab.nodes[0]);
    expect(differences(contents, found)).toEqual([]);
  }

  it('gets back a node of which nothing is left, and another whose signing key was replaced', async () => {
    const { nodes } = stage.lab;
    const [first, second, third] = nodes;
    const lost = second ?? first;
    await loseEverything(lost);
    if (third) await replaceSigningKey(third);

    const { plan } = await stage.restore(backup);

    const back = plan.nodes.map(({ filesBack }) => filesBack?.kubelet);
    expect(back).toEqual(third ? [undefined, true, false] : [true]);
    await expectRestored();
  });

  it('is left as it was when putting files back fails', async () => {
    const { lab } = stage;
    const node = lab.nodes.at(-1)!;
    await replaceSigningKey(node);
    await node.exec(['rm', '/etc/kubernetes/pki/etcd/healthcheck-client.crt']);
    const before = await look(lab);
    const damaged = await filesOf(node);

    const restoring = stage.restore(backup, {
      boundary(step, _, point) {
        if (step === 'swap-data' && point === 'before') {
          throw new Error('The test stops it here.');
        }
      },
    });

    await expect(restoring).rejects.toMatchObject({
      state: expect.stringContaining('taken back'),
    });
    expect(await filesOf(node)).toEqual(damaged);
    await expectAsBefore(before, lab);
  });

  it('is refused where the authority was replaced, unless files are asked for', async () => {
    const node = stage.lab.nodes.at(-1)!;
    await replaceAuthority(node);
    await expect(stage.restore(backup)).rejects.toMatchObject({
      code: options.nodes === 1 ? 'archive-other-cluster' : 'ca-differs',
      remedy: expect.stringContaining('restore with files'),
    });
    await stage.restore(backup, { withFiles: true });
    await expectRestored();
  });

  it('comes back across an upgrade that ended half-way, with the manifests of before', async () => {
    const { lab } = stage;
    const [node] = lab.nodes;
    const before = backup.summary.description.versions.kubernetes!;
    const next = before.replace(/^1\.(\d+)/, (_, minor) => `1.${+minor + 1}`);
    await node.upgrade({ kubernetesVersion: `v${next}` });
    await expect(stage.restore(backup)).rejects.toMatchObject({
      code: 'archive-other-kubernetes',
      remedy: expect.stringContaining('restore with files'),
    });

    const withFiles = { withFiles: true };
    await node.upgradeKubelet({ kubernetesVersion: `v${next}` });
    await expect(stage.restore(backup, withFiles)).rejects.toMatchObject({
      code: 'kubelet-newer',
    });
    await node.upgradeKubelet({ kubernetesVersion: `v${before}` });

    const { stdout: images } = await node.exec(['cat', IMAGES]);
    const scheduler = images
      .split('\n')
      .find(image => image.endsWith(`kube-scheduler:v${before}`))!;
    await node.writeFile(IMAGES, images.replace(scheduler, ''));
    await expect(stage.restore(backup, withFiles)).rejects.toMatchObject({
      code: 'image-missing',
      message: expect.stringContaining(scheduler),
    });
    await node.writeFile(IMAGES, images);

    await stage.restore(backup, { withFiles: true });
    await expectRestored();
  });

  if (options.nodes === 1) {
    it('goes without raising revisions where nothing can, and somebody decides so', async () => {
      const { system } = stage.lab.nodes[0];
      const cluster = {
        ...stage.access,
        restoreToolFile: await oldEtcdutl(stage.folder),
      };
      await system.hideTool('ctr');
      try {
        await expect(stage.restore(backup, { cluster })).rejects.toMatchObject({
          code: 'etcd-tool-cannot-bump',
          state: expect.stringContaining('Nothing on the cluster was changed'),
        });
        const overrides = ['etcd-tool-cannot-bump'];
        const restored = await stage.restore(backup, { cluster, overrides });
        expect(restored.verified.bump).toBe(0);
        expect(restored.plan.decision).toMatchObject({ what: overrides });
        expect(restored.reservations).toContainEqual(
          expect.objectContaining({ code: 'etcd-tool-cannot-bump-overridden' }),
        );
      } finally {
        await system.showTool('ctr');
      }
      await expectRestored();
    });
    return;
  }

  it('goes on without a dead machine that stays powered off', async () => {
    const { lab } = stage;
    const [first, second, third] = lab.nodes;
    const names = backup.summary.description.nodes.map(({ name }) => name);
    await expect(
      stage.restore(backup, { leaveOut: [names[2]] }),
    ).rejects.toMatchObject({ code: 'left-out-answers' });
    await second.system.powerOff();
    await third.system.powerOff();
    await expect(
      stage.restore(backup, { leaveOut: names.slice(1) }),
    ).rejects.toMatchObject({ code: 'left-out-majority' });
    await second.system.powerOn();

    const { reservations } = await stage.restore(backup, {
      leaveOut: [names[2]],
    });

    expect(reservations).toContainEqual(
      expect.objectContaining({ code: 'node-left-out', machine: names[2] }),
    );
    expect(await membersAgree([first, second])).toEqual([]);
    const found = await contentsAt(first);
    expect(differences(contents, found)).toEqual([]);

    // Were it powered on all the same, its member would be of a cluster that is no more.
    await third.system.powerOn();
    await expect(
      third.etcdctl(['get', '/registry/x', '--command-timeout=3s']),
    ).rejects.toThrow();
    expect(await membersAgree([first, second])).toEqual([]);
  });
});
