import { eventually } from './eventually';
import { setStage, Stage } from './stage';
import { contentsAt, differences } from '../proof/contents';
import { membersAgree } from '../proof/members';
import { Watcher, watchConfigMaps } from '../proof/informer';
import { BackupResult } from '@cluster-backup/engine';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';

jest.setTimeout(180_000);

describe.each([
  { nodes: 1, login: 'root' },
  { nodes: 1, login: 'sudo' },
  { nodes: 3, login: 'root' },
  { nodes: 3, login: 'sudo' },
] as const)('$nodes node(s), login $login', ({ nodes, login }) => {
  let stage: Stage;
  let watcher: Watcher | undefined;

  beforeAll(async () => {
    stage = await setStage({
      nodes,
      login,
      workers: 1,
      apiServerStopSeconds: 1,
    });
  });
  afterAll(async () => {
    await watcher?.stop();
    await stage?.stop();
  });

  it('is after the restore what it was at the backup', async () => {
    const { lab } = stage;
    const config = new KubeConfig();
    config.loadFromString(await lab.kubeconfig());
    const api = config.makeApiClient(CoreV1Api);
    for (const name of ['kept', 'changed', 'deleted']) {
      await api.createNamespacedConfigMap({
        namespace: 'default',
        body: { metadata: { name }, data: { at: 'the backup' } },
      });
    }
    watcher = await watchConfigMaps(await lab.kubeconfig());
    const backup = await stage.backUp();
    expect(backup.reservations).toEqual([]);
    const { revision } = backup.summary.facts;
    const expected = await contentsAt(lab.nodes[0], revision);
    expect(expected.has('/registry/configmaps/default/changed')).toBe(true);

    await api.deleteNamespacedConfigMap({
      namespace: 'default',
      name: 'deleted',
    });
    await api.replaceNamespacedConfigMap({
      namespace: 'default',
      name: 'changed',
      body: { metadata: { name: 'changed' }, data: { at: 'the accident' } },
    });
    await api.createNamespacedConfigMap({
      namespace: 'default',
      body: { metadata: { name: 'created' }, data: {} },
    });

    const steps: string[] = [];
    let safety: BackupResult | undefined;
    const restored = await stage.restore(backup, {
      safetyBackup: async (cluster, told) => {
        const occasion = 'before-restore';
        safety = await stage.backUp({ ...told, cluster, occasion });
        return safety;
      },
      progress: event => {
        if (event.type === 'step' && event.status === 'done') {
          steps.push(event.step);
        }
      },
    });
    expect(steps.indexOf('point-of-no-return')).toBeLessThan(
      steps.indexOf('return-api-servers'),
    );
    expect(restored.outageSeconds).toBeGreaterThan(0);
    expect(restored.reservations).toEqual([]);
    const { description, facts } = safety!.summary;
    expect(description.occasion).toBe('before-restore');
    expect(facts.revision).toBeGreaterThan(revision);
    expect(differences(expected, await contentsAt(lab.nodes[0]))).toEqual([]);
    expect(await membersAgree(lab.nodes)).toEqual([]);

    // The data of before is where the result says, whole enough for an etcd to start on.
    for (const { machine, path } of restored.kept) {
      const node = lab.nodes.find(({ name }) => name === machine)!;
      await node.exec(['test', '-s', `${path}/snap/db`]);
    }
    expect(restored.kept).toHaveLength(nodes);

    await eventually(async () => {
      const { items } = await api.listConfigMapForAllNamespaces();
      const truth = items.map(({ metadata }) => [
        `${metadata!.namespace}/${metadata!.name}`,
        metadata!.resourceVersion!,
      ]);
      expect(Object.fromEntries(watcher!.believed())).toEqual(
        Object.fromEntries(truth),
      );
    });
  });
});

it('restores all the same when no member is left that could be backed up', async () => {
  const stage = await setStage({ nodes: 1 });
  try {
    const backup = await stage.backUp();
    const [node] = stage.lab.nodes;
    const expected = await contentsAt(node, backup.summary.facts.revision);
    const database = '/var/lib/etcd/member/snap/db';
    // etcd maps the file: not stopped, it might die of the loss before it is killed.
    await node.etcd.freeze();
    await node.exec(['dd', 'if=/dev/zero', `of=${database}`, 'count=64']);
    await node.etcd.kill();
    const restored = await stage.restore(backup, {
      safetyBackup: (cluster, told) => stage.backUp({ ...told, cluster }),
    });
    expect(restored.reservations).toContainEqual(
      expect.objectContaining({
        code: 'safety-backup-failed',
        message: expect.stringContaining('could not be backed up'),
      }),
    );
    expect(differences(expected, await contentsAt(node))).toEqual([]);
    expect(await stage.stored()).toHaveLength(2);
  } finally {
    await stage.stop();
  }
});
