import {
  checkCluster,
  compareManaged,
  compareObjects,
  connectCluster,
  Description,
  KubernetesObject,
  putBackSecrets,
  readArchive,
  readManagedClusters,
} from '@cluster-backup/engine';
import { Lab, LabNode, startLab } from '@cluster-backup/lab';
import {
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
} from '@kubernetes/client-node';
import { contentsAt, differences } from '../proof/contents';
import { membersAgree } from '../proof/members';
import { gdcAccess } from '../product';
import { setStage, Stage } from './stage';

jest.setTimeout(180_000);

const OWNERS = [
  '/var/lib/etcd',
  '/var/lib/etcd/member/snap/db',
  '/var/lib/etcd-events',
];

/** Its member cannot read its own data any more, and never comes up again. */
const BREAK_EVENTS = `for file in /var/lib/etcd-events/member/wal/*.wal; do echo broken > "$file"; done
crictl stop $(crictl ps -q --label "io.kubernetes.pod.name=etcd-events-$1") >/dev/null`;

/** What a restore must leave alone, or as it was. */
async function lookAt(node: LabNode) {
  const { stdout: owners } = await node.exec([
    'stat',
    '-c',
    '%u:%g %a %n',
    ...OWNERS,
  ]);
  const { stdout: link } = await node.exec([
    'readlink',
    '/var/lib/kubelet/pki/kubelet-client-current.pem',
  ]);
  // A container that was stopped and started again has another id.
  const containers = await Promise.all(
    ['etcd-events', 'haproxy', 'keepalived'].map(async name => {
      const label = `io.kubernetes.pod.name=${name}-${node.name}`;
      const { stdout } = await node.exec([
        'crictl',
        'ps',
        '-q',
        '--label',
        label,
      ]);
      expect(stdout).not.toBe('');
      return stdout;
    }),
  );
  return { owners, link, containers };
}

async function apiOf(lab: Lab): Promise<CoreV1Api> {
  const config = new KubeConfig();
  config.loadFromString(await lab.kubeconfig());
  return config.makeApiClient(CoreV1Api);
}

/** Objects, and node files with their owners, of an archive. */
async function contentsOf(stage: Stage, key: string) {
  const objects: KubernetesObject[] = [];
  const files: string[] = [];
  await readArchive(
    await stage.store.get(key),
    { identities: [stage.identity] },
    {
      objects(list) {
        objects.push(...JSON.parse(list.toString()).items);
      },
      nodeFile(node, { path, uid, mode, type }) {
        files.push(`${node} ${uid} ${mode.toString(8)} ${type} ${path}`);
      },
    },
  );
  return { objects, files };
}

describe.each([
  {
    clusterType: 'admin',
    nodes: 1,
    login: 'root',
    k8sIP: false,
    failure: '',
  },
  {
    clusterType: 'hybrid',
    nodes: 3,
    login: 'sudo',
    k8sIP: true,
    failure: ' (bmctl failure 8)',
  },
] as const)(
  'a cluster of type $clusterType with $nodes node(s), login $login$failure',
  ({ failure: _, ...options }) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await setStage({ flavor: 'gdc', workers: 1, ...options });
    });
    afterAll(() => stage?.stop());

    it('is backed up with nothing but its kubeconfig, and restored with nothing but the archive and its key; links stay links (bmctl failure 7), Events that are well are left alone (bmctl failure 6), and the encryption of Secrets is in it (bmctl failure 11)', async () => {
      const { lab } = stage;
      const api = await apiOf(lab);
      const body = { metadata: { name: 'kept' } };
      await api.createNamespacedConfigMap({ namespace: 'default', body });
      const backup = await stage.backUp();
      expect(backup.reservations).toEqual([]);
      const { description, facts } = backup.summary;
      expect(description).toMatchObject({
        cluster: { layout: 'gdc', type: options.clusterType },
        versions: { gdc: lab.gdc!.version },
      });
      expect(description.nodes).toHaveLength(options.nodes);
      expect(description.workers).toHaveLength(1);
      const { objects, files } = await contentsOf(stage, backup.key);
      const named = objects.map(
        ({ kind, metadata }) =>
          `${kind} ${metadata.namespace}/${metadata.name}`,
      );
      const { namespace, clusterName } = lab.gdc!;
      expect(named).toEqual(
        expect.arrayContaining([
          `Cluster ${namespace}/${clusterName}`,
          `Secret ${namespace}/ssh-key`,
          'Secret anthos-creds/gke-connect',
        ]),
      );
      for (const [at, node] of lab.nodes.entries()) {
        const { name } = description.nodes[at];
        for (const path of [
          '/etc/kubernetes/manifests/etcd-events.yaml',
          '/etc/kubernetes/encryption/config.yaml',
          '/etc/kubernetes/admission/event-rate-limit.yaml',
          '/etc/kubernetes/pki/etcd/server.key',
          '/var/lib/kubelet/pki/kubelet-client-current.pem',
        ]) {
          const { stdout } = await node.exec(['stat', '-c', '%u %a', path]);
          const [uid, mode] = stdout.trim().split(' ');
          const type = path.endsWith('.pem') ? 'symlink' : 'file';
          expect(files).toContain(`${name} ${uid} ${mode} ${type} ${path}`);
        }
      }
      expect(files.filter(file => file.includes('/var/lib/etcd'))).toEqual([]);
      const expected = await contentsAt(lab.nodes[0], facts.revision);

      await api.deleteNamespacedConfigMap({
        namespace: 'default',
        name: 'kept',
      });
      const before = await Promise.all(lab.nodes.map(lookAt));
      const majority = lab.nodes.slice(0, Math.ceil((options.nodes + 1) / 2));
      if (options.nodes > 1) {
        for (const node of majority) await node.etcd.loseData();
      }
      const restored = await stage.restore(backup);
      expect(restored.outageSeconds).toBeGreaterThan(0);
      expect(differences(expected, await contentsAt(lab.nodes[0]))).toEqual([]);
      expect(await membersAgree(lab.nodes)).toEqual([]);
      expect(await Promise.all(lab.nodes.map(lookAt))).toEqual(before);
    });

    it('gets a new etcd-events where that is sick, whatever data it would come up with (bmctl failure 10)', async () => {
      const { lab } = stage;
      const backup = await stage.backUp();
      const majority = lab.nodes.slice(0, Math.ceil((options.nodes + 1) / 2));
      for (const node of majority) {
        await node.exec(['sh', '-euc', BREAK_EVENTS, 'sh', node.name]);
      }

      const { reservations } = await stage.restore(backup);

      expect(reservations.map(({ code }) => code)).toContain(
        'etcd-events-unwell',
      );
      for (const node of lab.nodes) {
        expect(await node.etcdEvents.healthy()).toBe(true);
        const folder = '/var/lib/etcd-events';
        const { stdout } = await node.exec(['ls', '-A', folder]);
        expect(stdout.trim()).toBe('member');
        const { stdout: owner } = await node.exec([
          'stat',
          '-c',
          '%u:%g',
          `${folder}/member/snap/db`,
        ]);
        expect(owner.trim()).toBe('2004:2004');
      }
    });
  },
);

describe('a cluster that was upgraded since (bmctl failure 1)', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage({ flavor: 'gdc' });
  });
  afterAll(() => stage?.stop());
  const runs = (kubernetesVersion: string) =>
    stage.lab.nodes[0].upgrade({ kubernetesVersion });
  const codeOf = (restore: Promise<unknown>) =>
    restore.then(
      () => 'restored',
      error => error.code,
    );

  it('is restored within its minor version, and never to data of a later one', async () => {
    const older = await stage.backUp();
    await runs('v1.32.9-gke.1');
    expect(await codeOf(stage.restore(older))).toBe('restored');
    await runs('v1.33.1-gke.1');
    expect(await codeOf(stage.restore(older))).toBe('archive-other-kubernetes');
    const later = await stage.backUp();
    await runs('v1.32.9-gke.1');
    expect(await codeOf(stage.restore(later))).toBe('archive-newer-kubernetes');
  });
});

describe('a user cluster', () => {
  let manager: Lab;
  let stage: Stage;
  beforeAll(async () => {
    manager = await startLab({ flavor: 'gdc', name: 'manager' });
    stage = await setStage({
      flavor: 'gdc',
      name: 'shop',
      clusterType: 'user',
      managedBy: manager,
      login: 'sudo',
    });
  });
  afterAll(async () => {
    await stage?.stop();
    await manager?.stop();
  });
  const managed = async () => gdcAccess(stage.lab, await manager.kubeconfig());

  it('is backed up and restored through its manager, and from the archive when that is gone', async () => {
    const { lab } = stage;
    const api = await apiOf(lab);
    const body = { metadata: { name: 'kept' } };
    await api.createNamespacedConfigMap({ namespace: 'default', body });
    const backup = await stage.backUp({ cluster: await managed() });
    expect(backup.summary.description.cluster).toMatchObject({
      name: 'shop',
      type: 'user',
      managedBy: manager.gdc!.clusterName,
    });
    const lost = { namespace: 'default', name: 'kept' };
    await api.deleteNamespacedConfigMap(lost);
    await stage.restore(backup, { cluster: await managed() });
    await api.deleteNamespacedConfigMap(lost);
    await stage.restore(backup, { cluster: gdcAccess(lab) });
    const { items } = await api.listNamespacedConfigMap({
      namespace: 'default',
    });
    expect(items.map(({ metadata }) => metadata!.name)).toContain('kept');
  });

  it('gets back what its manager has lost of it, and nothing that is there is overwritten', async () => {
    const { namespace, clusterName } = stage.lab.gdc!;
    const config = new KubeConfig();
    config.loadFromString(await manager.kubeconfig());
    const core = config.makeApiClient(CoreV1Api);
    const custom = config.makeApiClient(CustomObjectsApi);
    const resource = {
      group: 'baremetal.cluster.gke.io',
      version: 'v1',
      namespace,
      plural: 'clusters',
      name: clusterName,
    };
    const before = await custom.getNamespacedCustomObject(resource);
    const backup = await stage.backUp({ cluster: await managed() });
    await custom.deleteNamespacedCustomObject(resource);
    await core.deleteNamespacedSecret({ namespace, name: 'ssh-key' });
    const kept = { namespace: 'anthos-creds', name: 'gke-connect' };
    const { data: older } = await core.readNamespacedSecret(kept);
    await core.replaceNamespacedSecret({
      ...kept,
      body: { metadata: { name: kept.name }, stringData: { newer: 'key' } },
    });

    const { reservations } = await stage.restore(backup, {
      cluster: await managed(),
    });
    expect(
      reservations.filter(({ check }) => check === 'put-back-managed'),
    ).toEqual([
      expect.objectContaining({
        code: 'gdc-object-differs',
        message: expect.stringContaining('anthos-creds/gke-connect'),
      }),
    ]);
    const after = await custom.getNamespacedCustomObject(resource);
    expect(after.spec).toEqual(before.spec);
    expect(after.status).toBeUndefined();
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    const { data } = await core.readNamespacedSecret({
      namespace,
      name: 'ssh-key',
    });
    expect(Object.keys(data!)).toEqual(['id_rsa']);
    const { data: newer } = await core.readNamespacedSecret(kept);
    expect(newer).toHaveProperty('newer');

    const archive = stage.archive(backup);
    const cluster = await managed();
    const differing = async () =>
      (await compareObjects({ cluster, archive })).filter(
        ({ kind }) => kind === 'Secret',
      );
    const [shown, ...others] = await differing();
    expect(others).toEqual([]);
    expect(shown).toEqual({
      kind: 'Secret',
      ...kept,
      difference: 'differs',
      resourceVersion: expect.any(String),
      fields: [
        { name: 'creds-gcp.json', change: 'removed' },
        { name: 'newer', change: 'added' },
      ],
    });
    expect(JSON.stringify(shown)).not.toContain('PRIVATE KEY');
    const put = (resourceVersion?: string) =>
      putBackSecrets({
        cluster,
        archive,
        secrets: [{ ...kept, resourceVersion }],
      });
    const batch = config.makeApiClient(BatchV1Api);
    const job = { namespace, name: 'bm-system-check' };
    const made = await batch.createNamespacedJob({
      namespace,
      body: {
        metadata: { name: job.name },
        spec: { template: { spec: { containers: [] } } },
      },
    });
    await batch.replaceNamespacedJobStatus({
      ...job,
      body: { ...made, status: { active: 1 } },
    });
    await expect(put()).rejects.toMatchObject({ code: 'gdc-job-running' });
    await batch.deleteNamespacedJob(job);
    expect((await put('1')).failed).toMatchObject([
      { error: { code: 'put-back-changed-since' } },
    ]);
    expect(await differing()).toEqual([shown]);
    const secretKept = `Secret ${kept.namespace}/${kept.name}`;
    expect((await put(shown.resourceVersion)).updated).toEqual([secretKept]);
    expect((await core.readNamespacedSecret(kept)).data).toEqual(older);
    expect((await put()).same).toEqual([secretKept]);
    await core.deleteNamespacedSecret(kept);
    expect(await differing()).toMatchObject([{ difference: 'missing' }]);
    expect((await put()).created).toEqual([secretKept]);
    expect(await differing()).toEqual([]);
    await expect(
      putBackSecrets({
        cluster,
        archive,
        secrets: [{ namespace, name: 'nobodys' }],
      }),
    ).rejects.toMatchObject({ code: 'put-back-not-archived' });
    await expect(
      compareObjects({ cluster, archive: { ...archive, trustedSigners: [] } }),
    ).rejects.toMatchObject({ code: 'archive-signer-unknown' });

    // As its controllers do, of which the lab has none.
    await custom.replaceNamespacedCustomObjectStatus({
      ...resource,
      body: { ...after, status: before.status },
    });
  });

  it('is told of before its manager is restored, where its spec goes back in time', async () => {
    const access = gdcAccess(manager, await manager.kubeconfig());
    const { namespace, clusterName } = stage.lab.gdc!;
    const backup = await stage.backUp({
      cluster: access,
      folder: 'default/manager',
    });
    const { manages } = backup.summary.description.cluster;
    expect(manages).toEqual([
      {
        name: clusterName,
        namespace,
        generation: expect.any(Number),
        specSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
    const compared = async () =>
      compareManaged(
        manages!,
        await readManagedClusters(access, new AbortController().signal),
      ).map(({ name, change }) => `${name} ${change}`);
    expect(await compared()).toEqual([`${clusterName} same`]);

    const config = new KubeConfig();
    config.loadFromString(await manager.kubeconfig());
    const custom = config.makeApiClient(CustomObjectsApi);
    const clusters = {
      group: 'baremetal.cluster.gke.io',
      version: 'v1',
      namespace,
      plural: 'clusters',
    };
    const resource = { ...clusters, name: clusterName };
    const before = await custom.getNamespacedCustomObject(resource);
    await custom.replaceNamespacedCustomObject({
      ...resource,
      body: { ...before, spec: { ...before.spec, profile: 'edge' } },
    });
    const { status: _, metadata: __, ...rest } = before;
    await custom.createNamespacedCustomObject({
      ...clusters,
      body: { ...rest, metadata: { name: 'kiosk', namespace } },
    });
    try {
      const changed = [`${clusterName} back`, 'kiosk forgotten'];
      expect(await compared()).toEqual(changed);
      // Without its kubeconfig one of its nodes is asked.
      const notes: string[] = [];
      const { reservations } = await stage.restore(backup, {
        cluster: gdcAccess(manager),
        dryRun: true,
        progress: event => {
          if (event.type === 'note') notes.push(event.message);
        },
      });
      expect(
        reservations.filter(({ check }) => check === 'managed-clusters'),
      ).toEqual([
        expect.objectContaining({
          code: 'gdc-managed-back',
          message: `User cluster ${namespace}/${clusterName}: its spec goes back in time, to that of the backup.`,
        }),
        expect.objectContaining({ code: 'gdc-managed-forgotten' }),
      ]);
      expect(notes).toContainEqual(expect.stringMatching(/goes back in time/));
    } finally {
      await custom.deleteNamespacedCustomObject({ ...clusters, name: 'kiosk' });
      const { metadata } = await custom.getNamespacedCustomObject(resource);
      await custom.replaceNamespacedCustomObject({
        ...resource,
        body: { ...before, metadata },
      });
    }
  });

  /** What a look finds. */
  const codes = async (lastBackup?: Description) => {
    const cluster = await connectCluster(await managed());
    try {
      const { findings } = await checkCluster(cluster, {
        purpose: 'look',
        lastBackup,
        progress: () => {},
        signal: new AbortController().signal,
      });
      return findings.map(({ code }) => code);
    } finally {
      await cluster.close();
    }
  };

  it('tells of a GCP key that Google does not accept any more, and of a Google that is silent', async () => {
    const { gdc } = stage.lab;
    expect(await codes()).toEqual([]);
    await gdc!.revokeKey('gke-connect');
    expect(await codes()).toEqual(['gcp-key-refused']);
    await gdc!.stopTokenService();
    expect(new Set(await codes())).toEqual(new Set(['gcp-key-unasked']));
    await gdc!.startTokenService();
    await gdc!.restoreKey('gke-connect');
    expect(await codes()).toEqual([]);
  });

  it('is named with the key to put back, and where, when its SSH key was replaced since (bmctl failure 5); a look finds that before', async () => {
    const backup = await stage.backUp({ cluster: await managed() });
    const { description } = backup.summary;
    expect(await codes(description)).toEqual([]);
    const [node] = stage.lab.nodes;
    const privateKey = await node.login.rotateClientKey();
    const failure = await stage
      .restore(backup, { cluster: gdcAccess(stage.lab) })
      .then(
        () => undefined,
        error => error,
      );
    expect(failure).toMatchObject({
      code: 'machine-login-refused',
      state: expect.stringContaining('Nothing'),
    });
    const { address, user } = node.access();
    expect(failure.remedy).toMatch(
      new RegExp(
        `authorized_keys of ${user} on ${address}: ssh-\\S+ AAAA.* may be replaced again`,
      ),
    );
    expect(JSON.stringify(failure)).not.toContain('PRIVATE KEY');

    const { namespace } = stage.lab.gdc!;
    const api = await apiOf(manager);
    const name = 'ssh-key';
    const secret = await api.readNamespacedSecret({ namespace, name });
    const id_rsa = Buffer.from(privateKey).toString('base64');
    await api.replaceNamespacedSecret({
      ...{ namespace, name },
      body: { ...secret, data: { ...secret.data, id_rsa } },
    });
    await node.system.makeUnwritable('/var/lib/kubelet/pki');
    expect((await codes(description)).sort()).toEqual([
      'archive-ssh-key-refused',
      'directory-not-writable',
    ]);
  });
});
