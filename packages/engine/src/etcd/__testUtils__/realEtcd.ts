import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';
import { ControlPlaneNode } from '../../layout/ControlPlaneNode';
import { LocalMachine, localMachine } from './localMachine';
import { makeAuthority, makeCertificate } from './openssl';

export interface RealMember {
  node: ControlPlaneNode & { machine: LocalMachine };
  process: ChildProcess;
  start(...flags: string[]): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface RealEtcd {
  folder: string;
  members: RealMember[];
  client: Etcd3;
  /** etcdctl or etcdutl with the right addresses and certificates. */
  tool(name: 'etcdctl' | 'etcdutl', ...args: string[]): Promise<string>;
  close(): Promise<void>;
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = [];
  for (const server of servers) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as { port: number }).port);
  }
  await Promise.all(
    servers.map(server => new Promise(done => server.close(done))),
  );
  return ports;
}

export async function run(file: string, args: string[]): Promise<string> {
  const { stdout } = await localMachine().run([file, ...args]);
  return stdout;
}

/** An etcd cluster with TLS as kubeadm sets it up, on loopback ports. */
export async function startEtcd(
  count: number,
  options: { flags?: string[]; dataFrom?: string } = {},
): Promise<RealEtcd> {
  const folder = await mkdtemp(join(tmpdir(), 'cb-etcd-'));
  const pki = join(folder, 'pki');
  makeAuthority(join(pki, 'ca'), 'etcd-ca');
  for (const name of ['server', 'peer', 'healthcheck-client']) {
    makeCertificate(join(pki, name), join(pki, 'ca'), `/CN=${name}`);
  }
  const ports = await freePorts(2 * count);
  const urls = Array.from({ length: count }, (_, i) => ({
    name: `cp${i + 1}`,
    client: `https://127.0.0.1:${ports[2 * i]}`,
    peer: `https://127.0.0.1:${ports[2 * i + 1]}`,
  }));
  const members = urls.map(({ name, client, peer }): RealMember => {
    const certificate = {
      ca: join(pki, 'ca.crt'),
      serverCert: join(pki, 'server.crt'),
      serverKey: join(pki, 'server.key'),
      peerCert: join(pki, 'peer.crt'),
      peerKey: join(pki, 'peer.key'),
    };
    const dataDir = options.dataFrom ?? join(folder, name);
    const member: RealMember = {
      process: undefined as unknown as ChildProcess,
      node: {
        machine: localMachine(name),
        manifestsDir: '',
        caFingerprint: '',
        fingerprints: { etcdCa: '', encryptionKeys: [] },
        images: [],
        frontServer: '',
        capture: [],
        reservations: [],
        apiServer: {
          manifestPath: '',
          image: '',
          port: 6443,
          etcdServers: [client],
          clientCa: '',
        },
        etcd: {
          name,
          image: '',
          dataDir,
          clientUrl: client,
          listenClientUrls: [client],
          peerUrls: [peer],
          advertisedClientUrls: [client],
          certificate,
          manifestPath: '',
          uid: 0,
          gid: 0,
          mode: 0o700,
        },
      },
      async start(...flags) {
        member.process = spawn(
          'etcd',
          [
            `--name=${name}`,
            `--data-dir=${dataDir}`,
            `--listen-client-urls=${client}`,
            `--advertise-client-urls=${client}`,
            `--listen-peer-urls=${peer}`,
            `--initial-advertise-peer-urls=${peer}`,
            `--initial-cluster=${urls
              .map(url => `${url.name}=${url.peer}`)
              .join(',')}`,
            `--cert-file=${certificate.serverCert}`,
            `--key-file=${certificate.serverKey}`,
            `--trusted-ca-file=${certificate.ca}`,
            '--client-cert-auth',
            `--peer-cert-file=${certificate.peerCert}`,
            `--peer-key-file=${certificate.peerKey}`,
            `--peer-trusted-ca-file=${certificate.ca}`,
            '--peer-client-cert-auth',
            '--unsafe-no-fsync',
            '--log-level=error',
            ...(options.flags ?? []),
            ...flags,
          ],
          { stdio: 'ignore' },
        );
      },
      async stop(signal = 'SIGTERM') {
        if (member.process.exitCode === null && !member.process.signalCode) {
          member.process.kill('SIGCONT');
          member.process.kill(signal);
          await once(member.process, 'exit');
        }
      },
    };
    return member;
  });
  const certificates = [
    `--cacert=${join(pki, 'ca.crt')}`,
    `--cert=${join(pki, 'server.crt')}`,
    `--key=${join(pki, 'server.key')}`,
  ];
  const client = new Etcd3({
    hosts: urls.map(url => url.client),
    credentials: {
      rootCertificate: await readFile(join(pki, 'ca.crt')),
      certChain: await readFile(join(pki, 'server.crt')),
      privateKey: await readFile(join(pki, 'server.key')),
    },
  });
  const etcd: RealEtcd = {
    folder,
    members,
    client,
    tool: (name, ...args) =>
      run(name, [
        ...(name === 'etcdctl'
          ? [
              `--endpoints=${urls.map(url => url.client).join(',')}`,
              ...certificates,
            ]
          : []),
        ...args,
      ]),
    async close() {
      client.close();
      await Promise.all(members.map(member => member.stop('SIGKILL')));
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(members.map(member => member.start()));
    for (let attempt = 0; ; attempt++) {
      try {
        await etcd.tool('etcdctl', 'endpoint', 'health');
        return etcd;
      } catch (error) {
        if (attempt === 50) {
          throw error;
        }
        await sleep(100);
      }
    }
  } catch (error) {
    await etcd.close();
    throw error;
  }
}
