import { createSign, generateKeyPairSync } from 'node:crypto';
import { apiCaller } from './apiserver/apiCaller';
import { parseKubeconfig } from './apiserver/kubeconfig';
import { GdcClusterType, Lab } from './Lab';
import { LabNode } from './LabNode';
import { startLab } from './startLab';
import { running, ssh, until } from './__testUtils__/machines';

const BARE_METAL = '/apis/baremetal.cluster.gke.io/v1';
const KEYS: Record<string, string> = {
  'gke-connect': 'creds-gcp.json',
  'gke-register': 'creds-gcp.json',
  'google-cloud-credentials': 'credentials.json',
};

let admin: Lab;
let user: Lab;

beforeAll(async () => {
  admin = await startLab({
    flavor: 'gdc',
    name: 'boss',
    nodes: 3,
    workers: 1,
    login: 'sudo',
    k8sIP: true,
  });
  user = await startLab({
    flavor: 'gdc',
    clusterType: 'user',
    managedBy: admin,
    name: 'shop',
  });
});
afterAll(async () => {
  await user?.stop();
  await admin?.stop();
});

async function call(lab: Lab, method: string, path: string, body?: object) {
  const caller = apiCaller(
    parseKubeconfig(await lab.kubeconfig(), lab.directory),
  );
  try {
    return await caller.call(method, path, body);
  } finally {
    caller.close();
  }
}

/** An object that has to be there. */
async function get(lab: Lab, path: string) {
  const { code, body } = await call(lab, 'GET', path);
  expect({ path, code }).toEqual({ path, code: 200 });
  return body;
}

async function secretData(lab: Lab, path: string) {
  const [namespace, name] = path.split('/');
  const secret = await get(
    lab,
    `/api/v1/namespaces/${namespace}/secrets/${name}`,
  );
  return Object.fromEntries(
    Object.entries<string>(secret.data).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}

async function lines(node: LabNode, command: string): Promise<string[]> {
  const { stdout } = await node.exec(['sh', '-c', command]);
  return stdout.split('\n').filter(Boolean);
}

describe('the control plane', () => {
  it('listens where that of GDC does, on the nodes and at the front', async () => {
    const [node] = admin.nodes;
    const ports = await lines(
      node,
      'ss -Hltn | sed "s/.*:\\([0-9]*\\) .*:.*/\\1/" | sort -un',
    );
    expect(ports).toEqual(
      expect.arrayContaining(['2379', '2380', '2381', '2382', '2383', '2384']),
    );
    expect(ports).toContain('6444');
    expect(ports).not.toContain('6443');
    expect(admin.front.internal).toBe('198.51.100.10:443');
    await node.exec(['bash', '-c', ': <>/dev/tcp/198.51.100.10/443']);
    expect(
      await node.exec(['grep', '-rl', '6443', '/etc'], { accept: [1] }),
    ).toMatchObject({ stdout: '' });
    expect(
      await lines(node, 'grep -h server: /etc/kubernetes/*.conf | sort -u'),
    ).toEqual([
      '      server: https://198.51.100.10:443',
      '      server: https://198.51.100.11:6444',
    ]);
  });

  it('runs its pods, of which two have a container named etcd', async () => {
    for (const node of [...admin.nodes, ...user.nodes]) {
      expect(await lines(node, 'ls /etc/kubernetes/manifests')).toEqual([
        'etcd-events.yaml',
        'etcd.yaml',
        'haproxy.yaml',
        'keepalived.yaml',
        'kube-apiserver.yaml',
        'kube-controller-manager.yaml',
        'kube-scheduler.yaml',
      ]);
      expect(await running(node, 'etcd')).toHaveLength(2);
      const { stdout } = await node.exec(['crictl', 'ps', '-o', 'json']);
      const pods = JSON.parse(stdout).containers.map(
        ({ labels }: any) => labels['io.kubernetes.pod.name'],
      );
      expect(pods).toHaveLength(7);
      expect(pods).toContain(`etcd-${node.name}`);
      expect(pods).toContain(`etcd-events-${node.name}`);
      expect(pods).toContain(`haproxy-${node.name}`);
      expect(pods).toContain(`keepalived-${node.name}`);
    }
    const manifest = await admin.nodes[0].readFile(
      '/etc/kubernetes/manifests/etcd-events.yaml',
    );
    expect(manifest).toContain('component: etcd-events');
    expect(manifest).toContain('name: etcd\n');
  });

  it('keeps Events, and only these, in an etcd cluster of their own', async () => {
    const [first, , third] = admin.nodes;
    const { stdout } = await first.etcdEvents.etcdctl(['member', 'list']);
    expect(stdout.match(/started, cp-\d, https:\S+:2383/g)).toHaveLength(3);
    const { code } = await call(
      admin,
      'POST',
      '/api/v1/namespaces/default/events',
      {
        metadata: { name: 'seen' },
        involvedObject: { kind: 'Node', name: 'cp-1' },
        reason: 'Tested',
        type: 'Normal',
      },
    );
    expect(code).toBe(201);
    const keys = ['get', '--prefix', '--keys-only', '/registry/'];
    const apart = (await third.etcdEvents.etcdctl(keys)).stdout.trim();
    expect(apart).toBe('/registry/events/default/seen');
    expect((await third.etcdctl(keys)).stdout).not.toContain('/events/');
    const event = await get(admin, '/api/v1/namespaces/default/events/seen');
    expect(event.reason).toBe('Tested');
    const nowhere = await call(
      admin,
      'POST',
      '/api/v1/namespaces/none/events',
      { metadata: { name: 'lost' }, involvedObject: {} },
    );
    expect(nowhere.body.message).toBe('namespaces "none" not found');
  });

  it('is not of root, and each key is read by exactly those who need it', async () => {
    const [node] = admin.nodes;
    const processes = await lines(
      node,
      'for pod in etcd-events etcd kube-apiserver kube-controller-manager kube-scheduler; do id=$(crictl ps -o json | tr -d "\\n" | sed "s/{ *.id/\\n&/g" | grep "pod.name\\": \\"$pod-cp-1" | sed "s/.*\\"id\\": \\"\\([0-9a-f]*\\).*/\\1/"); pid=$(crictl inspect $id | sed -n "s/.*\\"pid\\": \\([0-9]*\\).*/\\1/p"); stat -c "$pod %u %g" /proc/$pid; done',
    );
    expect(processes).toEqual([
      'etcd-events 2004 2004',
      'etcd 2003 2003',
      'kube-apiserver 2000 2000',
      'kube-controller-manager 2001 2001',
      'kube-scheduler 2002 2002',
    ]);
    const readers = await lines(
      node,
      String.raw`cd /etc/kubernetes
        for file in pki/*.key pki/etcd/*.key *.conf encryption/* audit/* admission/*; do
          who=
          for id in 2000 2001 2002 2003 2004; do
            setpriv --reuid=$id --regid=$id --clear-groups cat $file >/dev/null 2>&1 && who="$who $id"
          done
          echo $file$who
        done`,
    );
    expect(readers).toEqual([
      'pki/apiserver-etcd-client.key 2000',
      'pki/apiserver-kubelet-client.key 2000',
      'pki/apiserver.key 2000',
      'pki/ca.key 2001',
      'pki/front-proxy-ca.key',
      'pki/front-proxy-client.key 2000',
      'pki/sa.key 2000 2001',
      'pki/etcd/ca.key',
      'pki/etcd/healthcheck-client.key',
      'pki/etcd/peer.key 2003 2004',
      'pki/etcd/server.key 2003 2004',
      'admin.conf',
      'controller-manager.conf 2001',
      'kubelet.conf',
      'scheduler.conf 2002',
      'super-admin.conf',
      'encryption/config.yaml 2000',
      'audit/policy.yaml 2000',
      'admission/config.yaml 2000',
      'admission/event-rate-limit.yaml 2000',
    ]);
    expect(
      await lines(
        node,
        'stat -c "%a %u:%g %n" /var/lib/etcd /var/lib/etcd/member/snap/db /var/lib/etcd-events /var/lib/etcd-events/member/snap/db',
      ),
    ).toEqual([
      '700 2003:2003 /var/lib/etcd',
      '600 2003:2003 /var/lib/etcd/member/snap/db',
      '700 2004:2004 /var/lib/etcd-events',
      '600 2004:2004 /var/lib/etcd-events/member/snap/db',
    ]);
  });

  it('does not start with a file that its user cannot read', async () => {
    const [node] = user.nodes;
    const file = '/etc/kubernetes/admission/event-rate-limit.yaml';
    const log = () =>
      lines(node, 'cat /var/log/pods/*apiserver*/*/*.log 2>/dev/null; true');
    await node.exec(['chown', '0:0', file]);
    const [before] = await running(node, 'kube-apiserver');
    await node.exec(['crictl', 'stop', before]);
    await until('it says why', async () =>
      (
        await log()
      ).some(
        line =>
          line.includes('--admission-control-config-file') &&
          line.includes('permission denied') &&
          line.includes(file),
      ),
    );
    expect((await node.ask('readiness')).apiServer).toBe(false);
    await node.exec(['chown', '2000:2000', file]);
    await until(
      'it is back',
      async () => (await node.ask('readiness')).apiServer,
    );
  });

  it('empties a member of the etcd of Events', async () => {
    const [node] = user.nodes;
    expect(await node.etcdEvents.healthy()).toBe(true);
    const [first] = await running(node, 'haproxy');
    const both = await running(node, 'etcd');
    const kept = async () =>
      (await node.etcdEvents.etcdctl(['get', '/kept'])).stdout;
    await node.etcdEvents.etcdctl(['put', '/kept', 'so far']);
    expect(await kept()).not.toBe('');
    await node.etcdEvents.empty();
    expect(await node.etcdEvents.healthy()).toBe(false);
    await until('it begins anew', () => node.etcdEvents.healthy());
    expect(await kept()).toBe('');
    expect(await running(node, 'haproxy')).toEqual([first]);
    // The other etcd was left alone.
    const [main] = (await running(node, 'etcd')).filter(id =>
      both.includes(id),
    );
    const { stdout } = await node.exec(['crictl', 'inspect', main]);
    expect(stdout).toContain('"io.kubernetes.pod.name": "etcd-cp-1"');
  });
});

describe('the machines', () => {
  it('are reached at addresses of their own and one port', async () => {
    const machines = [admin, user].flatMap(lab => lab.access().machines);
    const addresses = machines.map(({ address }) => address);
    expect(new Set(addresses).size).toBe(5);
    expect(addresses.every(address => /^127\.\d+\./.test(address))).toBe(true);
    for (const lab of [admin, user]) {
      const ports = lab.access().machines.map(({ port }) => port);
      expect(new Set(ports)).toEqual(new Set([lab.gdc!.sshPort]));
    }
    for (const node of [...admin.nodes, ...admin.workers]) {
      expect(await ssh(node, 'hostname; sudo -n id -un')).toMatchObject({
        stdout: `${node.name}\nroot\n`,
      });
    }
    expect((await ssh(user.nodes[0], 'id -un')).stdout).toBe('root\n');
    const [first, second] = admin.nodes;
    const known = second.access().knownHosts.split('\n');
    expect(known[0]).toMatch(/^\[127\.[\d.]+\]:\d+ ssh-ed25519 /);
    expect(known[1]).toMatch(/^198\.51\.100\.12 ssh-ed25519 /);
    const banner = await ssh(
      first,
      `exec 3<>/dev/tcp/${second.internalAddress}/22; head -1 <&3`,
    );
    expect(banner.stdout).toContain('SSH-2.0-OpenSSH');
  });

  it('keep their addresses through a loss of power', async () => {
    const [worker] = admin.workers;
    const before = worker.access();
    await worker.system.powerOff();
    expect((await ssh(worker, 'true')).stderr).toContain('refused');
    await worker.system.powerOn();
    expect(worker.access()).toEqual(before);
    await until('it is back', async () => !(await ssh(worker, 'true')).code);
  });
});

describe('the resources', () => {
  const described = async (lab: Lab, holder: Lab) => {
    const { clusterName, namespace } = lab.gdc!;
    expect(namespace).toBe(`cluster-${clusterName}`);
    const home = `${BARE_METAL}/namespaces/${namespace}`;
    const { items } = await get(holder, `${home}/nodepools`);
    return {
      cluster: await get(holder, `${home}/clusters/${clusterName}`),
      pools: items,
    };
  };
  const stands = {
    conditions: [
      {
        type: 'Reconciling',
        status: 'False',
        reason: 'ReconciliationCompleted',
      },
    ],
  };

  it('describe an admin cluster in itself', async () => {
    const { cluster, pools } = await described(admin, admin);
    const nodes = admin.nodes.map(node => ({
      address: node.access().address,
      k8sIP: node.internalAddress,
    }));
    expect(cluster).toMatchObject({
      spec: {
        type: 'admin',
        profile: 'default',
        anthosBareMetalVersion: '1.32.100-gke.42',
        nodeAccess: { loginUser: 'ops' },
        controlPlane: { nodePoolSpec: { nodes } },
        clusterNetwork: { services: { cidrBlocks: ['10.96.0.0/12'] } },
        loadBalancer: {
          mode: 'bundled',
          ports: { controlPlaneLBPort: 443 },
          vips: { controlPlaneVIP: '198.51.100.10' },
        },
        gkeConnect: { projectID: 'lab-project' },
        clusterSecurity: {
          enableRootlessContainers: true,
          startUIDRangeRootlessContainers: 2000,
        },
      },
      status: {
        anthosBareMetalVersion: '1.32.100-gke.42',
        clusterState: 'Running',
        controlPlaneNodePoolStatus: stands,
        ...stands,
      },
    });
    const [worker] = admin.workers;
    expect(pools).toMatchObject([
      {
        metadata: {
          name: 'boss',
          annotations: { 'baremetal.cluster.gke.io/control-plane': 'true' },
        },
        spec: { clusterName: 'boss', nodes },
        status: stands,
      },
      {
        metadata: { name: 'boss-workers' },
        spec: {
          clusterName: 'boss',
          nodes: [{ address: worker.access().address }],
        },
        status: stands,
      },
    ]);
    expect(pools[1].metadata).not.toHaveProperty('annotations');
    expect(admin.gdc).toMatchObject({ type: 'admin', clusterName: 'boss' });
  });

  it('describe a user cluster in the one that manages it', async () => {
    const { cluster, pools } = await described(user, admin);
    expect(cluster.spec).toMatchObject({
      type: 'user',
      controlPlane: {
        nodePoolSpec: { nodes: [{ address: user.nodes[0].access().address }] },
      },
    });
    expect(cluster.spec).not.toHaveProperty('nodeAccess');
    const [node] = cluster.spec.controlPlane.nodePoolSpec.nodes;
    expect(node).not.toHaveProperty('k8sIP');
    expect(cluster.status.clusterState).toBe('Running');
    expect(pools).toHaveLength(2);
    const own = await get(user, `${BARE_METAL}/clusters`);
    expect(own.items).toEqual([]);
  });

  it('hold the keys', async () => {
    const sshKey = async (path: string) =>
      (await secretData(admin, path)).id_rsa;
    const [adminKey, userKey] = [admin, user].map(
      lab => lab.access().machines[0].privateKey,
    );
    expect(await sshKey('cluster-boss/ssh-key')).toBe(adminKey);
    expect(await sshKey('anthos-creds/ssh-key')).toBe(adminKey);
    expect(await sshKey('cluster-shop/ssh-key')).toBe(userKey);

    for (const lab of [admin, user]) {
      const { clusterName, namespace } = lab.gdc!;
      const prefix = `${namespace}/${clusterName}-`;
      const { value } = await secretData(admin, `${prefix}kubeconfig`);
      const access = parseKubeconfig(value, '/');
      expect(access.server).toBe(`https://127.0.0.1:${lab.front.port}`);
      const { call: ask, close } = apiCaller(access);
      const { items } = (await ask('GET', '/api/v1/nodes')).body;
      close();
      expect(items[0].status.addresses[0].address).toBe('198.51.100.11');
      expect(items).toHaveLength(lab.nodes.length + lab.workers.length);
      for (const [name, file] of [
        ['ca', 'ca'],
        ['etcd', 'etcd/ca'],
        ['proxy', 'front-proxy-ca'],
      ]) {
        const path = `/etc/kubernetes/pki/${file}`;
        expect(await secretData(admin, prefix + name)).toEqual({
          'tls.crt': await lab.nodes[0].readFile(`${path}.crt`),
          'tls.key': await lab.nodes[0].readFile(`${path}.key`),
        });
      }
      expect(Object.keys(await secretData(admin, `${prefix}sa`))).toEqual([
        'tls.crt',
        'tls.key',
      ]);
    }
  });
});

describe('the token service', () => {
  interface Key {
    client_email: string;
    private_key: string;
    private_key_id: string;
    token_uri: string;
  }

  async function keyIn(name: string): Promise<Key> {
    const data = await secretData(admin, `anthos-creds/${name}`);
    const login = JSON.parse(data['.dockerconfigjson'] ?? '{}').auths?.[
      'gcr.io'
    ];
    return JSON.parse(login ? login.password : data[KEYS[name]]);
  }

  async function ask(key: Key, claims: object = {}) {
    const now = Math.floor(Date.now() / 1000);
    const part = (value: object) =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const message = [
      part({ alg: 'RS256', typ: 'JWT', kid: key.private_key_id }),
      part({
        iss: key.client_email,
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        aud: key.token_uri,
        iat: now,
        exp: now + 600,
        ...claims,
      }),
    ].join('.');
    const signature = createSign('sha256')
      .update(message)
      .sign(key.private_key, 'base64url');
    const response = await fetch(key.token_uri, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: `${message}.${signature}`,
      }),
    });
    return { status: response.status, ...(await response.json()) };
  }

  const invalidSignature = {
    status: 400,
    error: 'invalid_grant',
    error_description: 'Invalid JWT Signature.',
  };

  it('takes the keys that the Secrets hold, and no others', async () => {
    for (const name of ['private-registry-creds', ...Object.keys(KEYS)]) {
      const key = await keyIn(name);
      expect(key.token_uri).toBe(admin.gdc!.tokenUrl);
      expect(await ask(key)).toMatchObject({
        status: 200,
        access_token: expect.any(String),
        token_type: 'Bearer',
      });
    }
    const key = await keyIn('gke-connect');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const forged = privateKey.export({ format: 'pem', type: 'pkcs8' });
    expect(await ask({ ...key, private_key: String(forged) })).toEqual(
      invalidSignature,
    );
    expect(await ask(key, { aud: 'https://example.com/token' })).toMatchObject({
      status: 400,
      error: 'invalid_grant',
    });
    expect(await ask(key, { iat: 1, exp: 600 })).toMatchObject({
      status: 400,
      error_description: expect.stringContaining('short-lived'),
    });
    expect(await ask(key, { iss: 'nobody@example.com' })).toMatchObject({
      status: 401,
    });
  });

  it('refuses a revoked key until it is restored', async () => {
    const key = await keyIn('gke-register');
    await admin.gdc!.revokeKey('gke-register');
    expect(await ask(key)).toEqual(invalidSignature);
    expect((await ask(await keyIn('gke-connect'))).status).toBe(200);
    await admin.gdc!.restoreKey('gke-register');
    expect((await ask(key)).status).toBe(200);
    await expect(admin.gdc!.revokeKey('ssh-key')).rejects.toThrow(
      'No Secret ssh-key holds a key.',
    );
  });

  it('stops and starts, and is that of the user cluster too', async () => {
    const key = await keyIn('gke-connect');
    expect(user.gdc!.tokenUrl).toBe(admin.gdc!.tokenUrl);
    await user.gdc!.stopTokenService();
    await expect(ask(key)).rejects.toThrow('fetch failed');
    await admin.gdc!.startTokenService();
    expect((await ask(key)).status).toBe(200);
  });
});

it('is upgraded node by node, the kubelets apart', async () => {
  const [first, second] = admin.nodes;
  const [worker] = admin.workers;
  const balancer = await running(first, 'keepalived');
  const kubernetesVersion = 'v1.33.1-gke.100';
  await first.upgrade({ kubernetesVersion });
  const versionOf = async (node: LabNode) =>
    JSON.parse(
      await node
        .exec([
          ...['curl', '-sk', `https://${node.internalAddress}:6444/version`],
        ])
        .then(({ stdout }) => stdout),
    );
  expect(await versionOf(first)).toMatchObject({
    gitVersion: kubernetesVersion,
    minor: '33',
  });
  expect((await versionOf(second)).gitVersion).toBe('v1.32.4-gke.200');
  const images = (node: LabNode) =>
    lines(node, 'sed -n "s/^ *image: .*://p" /etc/kubernetes/manifests/*');
  const etcdVersion = (await images(second))[1].replace(/-0$/, '');
  expect(await images(first)).toEqual([
    `${etcdVersion}-0`,
    `${etcdVersion}-1`,
    ...(await images(second)).slice(2, 4),
    ...Array(3).fill(kubernetesVersion),
  ]);
  const { stdout } = await first.exec(['crictl', 'images']);
  expect(stdout.match(new RegExp(kubernetesVersion, 'g'))).toHaveLength(3);
  expect(await running(first, 'keepalived')).toEqual(balancer);
  await expect(worker.upgrade({ kubernetesVersion })).rejects.toThrow(
    'worker-1 is a worker',
  );

  const kubelets = async () => {
    const { items } = await get(admin, '/api/v1/nodes');
    return items.map(({ status }: any) => status.nodeInfo.kubeletVersion);
  };
  const old = 'v1.32.4-gke.200';
  expect(await kubelets()).toEqual([old, old, old, old]);
  await first.upgradeKubelet({ kubernetesVersion });
  await worker.upgradeKubelet({ kubernetesVersion });
  await until('two Nodes tell so', async () => {
    const [one, two, three, four] = await kubelets();
    expect([two, three]).toEqual([old, old]);
    return one === kubernetesVersion && four === kubernetesVersion;
  });
});

it.each<GdcClusterType>(['hybrid', 'standalone'])(
  'a %s cluster describes itself, and its machine can be cut off and lose power',
  async type => {
    const lab = await startLab({
      flavor: 'gdc',
      clusterType: type,
      etcdDisk: { sizeMiB: 96 },
    });
    try {
      const path = `${BARE_METAL}/namespaces/cluster-lab/clusters/lab`;
      const { spec } = await get(lab, path);
      expect(spec.type).toBe(type);
      expect(spec.loadBalancer.vips.ingressVIP).toBe('198.51.100.9');
      const [node] = lab.nodes;
      await node.link.cut();
      expect((await ssh(node, 'true')).stderr).toContain('refused');
      await node.link.restore();
      expect((await ssh(node, 'true')).code).toBe(0);
      await node.system.powerOff();
      await node.system.powerOn();
      expect(await lines(node, 'stat -c "%a %u:%g" /var/lib/etcd')).toEqual([
        '700 2003:2003',
      ]);
      await until('what is on disk is back', () =>
        node.etcdEvents.healthy().catch(() => false),
      );
    } finally {
      await lab.stop();
    }
  },
);

describe('what cannot be', () => {
  it.each<[GdcClusterType | undefined, boolean]>([
    ['user', false],
    ['standalone', true],
  ])('is refused: %s, managed: %s', async (clusterType, isManaged) => {
    const managedBy = isManaged ? admin : undefined;
    await expect(
      startLab({ flavor: 'gdc', clusterType, managedBy }),
    ).rejects.toThrow('managedBy');
    await expect(
      startLab({ flavor: 'gdc', clusterType: 'user', managedBy: user }),
    ).rejects.toThrow('managedBy');
    await expect(startLab({ k8sIP: true })).rejects.toThrow('flavor gdc');
  });
});
