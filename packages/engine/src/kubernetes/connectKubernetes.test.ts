import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lab, startLab } from '@cluster-backup/lab';
import { ClusterBackupError } from '../errors';
import { localMachine } from '../etcd/__testUtils__/localMachine';
import { makeAuthority, makeCertificate } from '../etcd/__testUtils__/openssl';
import { readControlPlaneNode } from '../layout/kubeadm';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { connectMachine } from '../machine/connectMachine';
import { Machine } from '../machine/Machine';
import { connectKubernetes, KubernetesClient } from './connectKubernetes';
import { KubernetesCredentials, readKubeconfig } from './kubeconfig';
import { readNodeCredentials } from './nodeCredentials';

const { signal } = new AbortController();

describe('connectKubernetes', () => {
  let lab: Lab;
  let machine: Machine;
  let node: ControlPlaneNode;
  let credentials: KubernetesCredentials;
  const clients: KubernetesClient[] = [];

  beforeAll(async () => {
    lab = await startLab({ nodes: 1, workers: 1, login: 'sudo' });
    const { name, address, port, user, privateKey, knownHosts } =
      lab.access().machines[0];
    machine = await connectMachine({
      name,
      address,
      port,
      user,
      privateKey,
      hostKeys: { mode: 'strict', knownHosts },
    });
    node = await readControlPlaneNode(machine, signal);
    credentials = await readNodeCredentials(node, signal);
  });
  afterAll(async () => {
    clients.forEach(client => client.close());
    await machine?.close();
    await lab?.stop();
  });

  function connect(
    overrides: Partial<KubernetesCredentials> = {},
    port = 6443,
  ) {
    const client = connectKubernetes(machine, {
      server: `https://127.0.0.1:${port}`,
      credentials: { ...credentials, ...overrides },
      signal,
    });
    clients.push(client);
    return client;
  }
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => {
        throw new Error('It did not fail.');
      },
      (error: ClusterBackupError) => error,
    );

  it('asks the API server of a node, and the front', async () => {
    const own = connect();
    await own.livez();
    await own.readyz();
    expect(await own.version()).toMatch(/^1\.\d+\.\d+/);
    const uid = await own.kubeSystemUid();
    expect(uid).toMatch(/^[0-9a-f-]{36}$/);
    // The kubelets report themselves a moment after they started.
    let nodes = await own.nodes();
    for (let i = 0; i < 100 && !(nodes[1]?.ready && nodes[0].ready); i++) {
      await sleep(100);
      nodes = await own.nodes();
    }
    expect(nodes).toMatchObject([
      { name: 'cp-1', ready: true, kubeletVersion: node.kubernetesVersion },
      { name: 'worker-1', ready: true },
    ]);
    const front = connectKubernetes(machine, {
      server: node.frontServer,
      credentials,
      signal,
    });
    clients.push(front);
    expect(await front.kubeSystemUid()).toBe(uid);
  });

  it('writes and removes an object', async () => {
    const path = '/api/v1/namespaces/default/configmaps';
    const client = connect();
    await client.send('POST', path, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'probe' },
      data: { a: 'ü'.repeat(10_000) },
    });
    const { data } = await client.get<{ data: { a: string } }>(`${path}/probe`);
    expect(data.a).toHaveLength(10_000);
    await client.send('DELETE', `${path}/probe`);
    expect(await failure(client.get(`${path}/probe`))).toMatchObject({
      code: 'api-refused',
      message: expect.stringContaining('not found'),
    });
  });

  it('tells what is wrong apart', async () => {
    const etcd = readKubeconfig(
      await lab.nodes[0].readFile('/etc/kubernetes/admin.conf'),
      'admin.conf',
    );
    expect(etcd.ca).toBe(credentials.ca);
    const otherCa = await lab.nodes[0].readFile(
      '/etc/kubernetes/pki/etcd/ca.crt',
    );
    expect(await failure(connect({ ca: otherCa }).livez())).toMatchObject({
      code: 'api-certificate-refused',
    });
    const stranger = connect({
      cert: await lab.nodes[0].readFile(
        '/etc/kubernetes/pki/etcd/healthcheck-client.crt',
      ),
      key: await lab.nodes[0].readFile(
        '/etc/kubernetes/pki/etcd/healthcheck-client.key',
      ),
    });
    expect(await failure(stranger.nodes())).toMatchObject({
      code: 'api-forbidden',
    });
    const nothing = await failure(connect({}, 6444).livez());
    expect(nothing.code).toBe('api-unreachable');
    expect(nothing.message).toContain('cp-1');
  });

  it('sees an API server that is not ready, and one that went away', async () => {
    const client = connect();
    await client.readyz();
    await lab.nodes[0].exec(['systemctl', 'stop', 'kubelet']);
    const stop = async (name: string) => {
      const { stdout } = await lab.nodes[0].exec([
        ...['crictl', 'ps', '-q'],
        ...['--label', `io.kubernetes.container.name=${name}`],
      ]);
      await lab.nodes[0].exec(['crictl', 'stop', stdout.trim()]);
    };
    await stop('etcd');
    expect(await failure(client.readyz())).toMatchObject({
      code: 'api-not-ready',
      message: expect.stringContaining('etcd'),
    });
    await stop('kube-apiserver');
    expect(await failure(client.livez())).toMatchObject({
      code: 'api-unreachable',
    });
  });
});

it('holds no more than 64 MiB of an answer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cb-endless-'));
  const at = (name: string) => join(folder, name);
  const text = (name: string) => readFileSync(at(name), 'utf8');
  makeAuthority(at('ca'), 'kubernetes');
  makeCertificate(at('server'), at('ca'), '/CN=kube-apiserver');
  let sent = 0;
  const server = createServer(
    { cert: text('server.crt'), key: text('server.key') },
    async (_, response) => {
      const spaces = Buffer.alloc(1 << 20, ' ');
      const endless = Readable.from(
        (async function* bytes() {
          for (; sent < 1 << 30; sent += spaces.length) yield spaces;
        })(),
      );
      await pipeline(endless, response).catch(() => {});
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connectKubernetes(localMachine(), {
    server: `https://127.0.0.1:${port}`,
    credentials: {
      server: '',
      ca: text('ca.crt'),
      cert: text('server.crt'),
      key: text('server.key'),
    },
    signal,
  });
  try {
    await expect(client.get('/api/v1/nodes')).rejects.toMatchObject({
      code: 'api-unreachable',
      message: expect.stringContaining('larger than 67108864 bytes'),
    });
    expect(sent).toBeLessThan(128 << 20);
  } finally {
    client.close();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
