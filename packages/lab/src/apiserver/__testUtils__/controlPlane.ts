import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
} from '@kubernetes/client-node';
import { connectEtcd, Etcd, EtcdAccess } from '../etcd';
import { makeAuthority } from './certificates';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until a condition holds; fails after some seconds. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
) {
  const deadline = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await sleep(50);
  }
}

/** A real etcd with mutual TLS, and what an API server and its clients need to meet it. */
export async function makeControlPlane() {
  const directory = mkdtempSync(join(tmpdir(), 'lab-api-'));
  const kubernetes = makeAuthority(directory, 'kubernetes');
  const stranger = makeAuthority(directory, 'stranger');
  const etcdCa = makeAuthority(directory, 'etcd-ca');
  const server = kubernetes.issue('apiserver', '/CN=kube-apiserver');
  const etcdServer = etcdCa.issue('etcd', '/CN=etcd');
  const [etcdPort, peerPort, apiPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const endpoint = `https://127.0.0.1:${etcdPort}`;
  const etcdAccess: EtcdAccess = {
    endpoint,
    ca: readFileSync(etcdCa.cert),
    cert: readFileSync(etcdServer.cert),
    key: readFileSync(etcdServer.key),
  };
  const etcd: Etcd = connectEtcd(etcdAccess);
  let child: ChildProcess | undefined;

  async function startEtcd(dataDirectory = join(directory, 'etcd-data')) {
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    child = spawn(
      'etcd',
      [
        `--data-dir=${dataDirectory}`,
        `--listen-client-urls=${endpoint}`,
        `--advertise-client-urls=${endpoint}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        `--cert-file=${etcdServer.cert}`,
        `--key-file=${etcdServer.key}`,
        `--trusted-ca-file=${etcdCa.cert}`,
        '--client-cert-auth=true',
        '--unsafe-no-fsync',
        '--log-level=error',
      ],
      { stdio: 'ignore' },
    );
    await until('etcd answers', () =>
      etcd.status().then(
        () => true,
        () => false,
      ),
    );
  }

  async function stopEtcd() {
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
  }

  return {
    directory,
    etcd,
    etcdAccess,
    startEtcd,
    stopEtcd,
    kubernetes,
    stranger,
    apiPort,
    caFile: kubernetes.cert,
    /** as kubeadm's manifest has them */
    flags: [
      '--advertise-address=127.0.0.1',
      '--bind-address=127.0.0.1',
      `--secure-port=${apiPort}`,
      '--allow-privileged=true',
      '--authorization-mode=Node,RBAC',
      `--client-ca-file=${kubernetes.cert}`,
      '--enable-admission-plugins=NodeRestriction',
      `--etcd-cafile=${etcdCa.cert}`,
      `--etcd-certfile=${etcdServer.cert}`,
      `--etcd-keyfile=${etcdServer.key}`,
      `--etcd-servers=${endpoint}`,
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-cluster-ip-range=10.96.0.0/12',
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
    ],
    /** a kubeconfig for someone with that certificate */
    kubeConfig(client: { cert: string; key: string }) {
      const config = new KubeConfig();
      config.loadFromOptions({
        clusters: [
          {
            name: 'lab',
            server: `https://127.0.0.1:${apiPort}`,
            caFile: kubernetes.cert,
          },
        ],
        users: [{ name: 'user', certFile: client.cert, keyFile: client.key }],
        contexts: [{ name: 'lab', cluster: 'lab', user: 'user' }],
        currentContext: 'lab',
      });
      return config;
    },
    async remove() {
      etcd.close();
      await stopEtcd();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export type ControlPlane = Awaited<ReturnType<typeof makeControlPlane>>;

/** The two clients of client-node that tests use. */
export function clientsOf(config: KubeConfig) {
  return {
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}
