import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { bundlePath, bundlePrograms, checkout } from './bundle';
import { GDC_VERSION } from './gdc/plan';
import { describeCluster } from './gdc/describeCluster';
import { Lab, LabAccess, LabGdc, GdcClusterType } from './Lab';
import { LabNode } from './LabNode';
import { findPrograms } from './programs';
import {
  Call,
  FromSupervisor,
  RunningLab,
  SupervisorOptions,
} from './protocol';
import { DIRECTORY_PREFIX, sweepDeadLabs } from './sweep';

/** What a lab is to be. @public */
export interface LabOptions {
  /** What made the cluster: kubeadm (the default), or Google Distributed Cloud on bare metal. */
  flavor?: 'kubeadm' | 'gdc';
  /** Of GDC. Default `admin`. */
  clusterType?: GdcClusterType;
  /** Of GDC, for a user cluster: a running admin or hybrid one, whose API is to hold what describes this one. */
  managedBy?: Lab;
  /** Of GDC: the Cluster resource names the address that Kubernetes uses beside that of SSH. Default false. */
  k8sIP?: boolean;
  /** Control-plane nodes. Default 1. */
  nodes?: 1 | 3;
  /** Default 0. */
  workers?: number;
  /** `sudo` logs in as `ops`, who may run everything through sudo without a password. Default `root`. */
  login?: 'root' | 'sudo';
  /** An etcd snapshot, or a data directory that no etcd uses, to begin with. */
  seed?: string;
  /** etcd's data directory as a mount point of its own, of this size, in memory. */
  etcdDisk?: { sizeMiB: number };
  /** How long an API server takes to go after SIGTERM. Default 5. */
  apiServerStopSeconds?: number;
  /** Lets every SSH connection pass a relay, so that freezing, cutting and slowing reach those already open. */
  links?: boolean;
  /** Cluster name. Default `lab`. */
  name?: string;
  /** An empty or missing directory to work in, removed at the end. Default: a new one among temporary files. */
  directory?: string;
}

/** The process that holds the lab. It outlives its parent by as long as it takes to tidy up. */
class Supervisor {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;
  private readonly calls = new Map<
    number,
    { resolve(result: any): void; reject(error: Error): void }
  >();
  private lastCall = 0;

  constructor(directory: string) {
    const rootless = process.getuid?.() !== 0;
    const argv = [
      ...(rootless
        ? ['unshare', '--user', '--map-root-user', '--map-auto', '--']
        : []),
      ...[process.execPath, bundlePath('supervisor.cjs'), directory],
    ];
    this.child = spawn(argv[0], argv.slice(1), {
      // A session of its own: Ctrl-C is for the one that started the lab.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.ended = once(this.child, 'exit');
  }

  start(options: SupervisorOptions): Promise<RunningLab> {
    return new Promise((resolveStart, reject) => {
      this.child.on('error', reject);
      this.child.on('exit', () => {
        const gone = new Error('The supervisor of the lab has ended.');
        reject(gone);
        for (const call of this.calls.values()) call.reject(gone);
      });
      this.child.on('message', (message: FromSupervisor) => {
        if ('started' in message) resolveStart(message.started);
        else if ('failed' in message) reject(new Error(message.failed));
        else this.settle(message);
      });
      this.child.send({ start: options });
    });
  }

  readonly call: Call = (method, parameters) =>
    new Promise((resolveCall, reject) => {
      this.lastCall += 1;
      this.calls.set(this.lastCall, { resolve: resolveCall, reject });
      this.child.send({ id: this.lastCall, method, parameters });
    });

  async stop(): Promise<void> {
    if (this.child.connected) this.child.disconnect();
    await this.ended;
  }

  private settle(message: {
    id: number;
    result?: unknown;
    error?: string;
  }): void {
    const call = this.calls.get(message.id);
    this.calls.delete(message.id);
    if (message.error) call?.reject(new Error(message.error));
    else call?.resolve(message.result);
  }
}

/**
 * Starts a control plane on this machine, in network, mount and process namespaces of its own, and resolves when
 * etcd and the API servers answer and every kubelet has reported its node. Whatever ends the calling process ends the lab.
 *
 * @throws Error when the machine lacks a program or the right to make namespaces.
 * @public
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  checkGdcOptions(options);
  await bundlePrograms();
  const programs = await findPrograms();
  const parent = tmpdir();
  await sweepDeadLabs(parent);
  const directory = options.directory
    ? resolve(options.directory)
    : await mkdtemp(join(parent, DIRECTORY_PREFIX));
  await mkdir(directory, { recursive: true });
  const login = options.login ?? 'root';
  const supervisor = new Supervisor(directory);
  const running = await supervisor.start({
    flavor: options.flavor ?? 'kubeadm',
    name: options.name ?? 'lab',
    nodes: options.nodes ?? 1,
    workers: options.workers ?? 0,
    login,
    seed: options.seed && resolve(options.seed),
    etcdDisk: options.etcdDisk,
    apiServerStopSeconds: options.apiServerStopSeconds ?? 5,
    links: options.links ?? false,
    serviceAccounts: options.flavor === 'gdc' && !options.managedBy,
    directory,
    checkout,
    programs,
  });
  const nodes: LabNode[] = [];
  const workers: LabNode[] = [];
  for (const machine of running.machines) {
    const node = new LabNode(machine, {
      user: login === 'sudo' ? 'ops' : 'root',
      privateKey: running.privateKey,
      call: supervisor.call,
      peers: () => nodes,
    });
    (machine.role === 'worker' ? workers : nodes).push(node);
  }
  const machines = [...nodes, ...workers];
  const front = {
    internal: running.front.internal,
    host: '127.0.0.1' as const,
    port: running.front.port,
  };
  const access = (): LabAccess => ({
    clusterName: options.name ?? 'lab',
    machines: machines.map(machine => ({
      ...machine.access(),
      role: machine.role,
    })),
    front,
  });
  await writeFile(
    join(directory, 'access', 'known_hosts'),
    machines.map(machine => machine.access().knownHosts).join(''),
  );
  const gdc =
    options.flavor === 'gdc'
      ? gdcOf(options, running, supervisor.call)
      : undefined;
  const lab: Lab = {
    gdc,
    nodes,
    workers,
    front,
    directory,
    access,
    kubeconfig: async () => {
      const config = parse(
        await nodes[0].readFile('/etc/kubernetes/admin.conf'),
      );
      config.clusters[0].cluster.server = `https://127.0.0.1:${front.port}`;
      return stringify(config);
    },
    stop: () => supervisor.stop(),
  };
  if (gdc) {
    await describeCluster(lab, gdc, {
      holder: options.managedBy ?? lab,
      k8sIP: options.k8sIP ?? false,
      privateKey: running.privateKey,
      serviceAccountKeys: running.serviceAccountKeys,
    }).catch(async error => {
      await lab.stop();
      throw error;
    });
  }
  return lab;
}

function checkGdcOptions(options: LabOptions): void {
  const { flavor, clusterType, managedBy, k8sIP } = options;
  if (flavor !== 'gdc' && (clusterType || managedBy || k8sIP)) {
    throw new Error('clusterType, managedBy and k8sIP are of the flavor gdc.');
  }
  const isManager = ['admin', 'hybrid'].includes(managedBy?.gdc?.type ?? '');
  if (clusterType === 'user' ? !isManager : managedBy) {
    throw new Error(
      'A user cluster, and no other, is managedBy a lab of the type admin or hybrid.',
    );
  }
}

function gdcOf(options: LabOptions, running: RunningLab, call: Call): LabGdc {
  const clusterName = options.name ?? 'lab';
  const tokens = options.managedBy?.gdc ?? {
    tokenUrl: running.tokenUrl,
    revokeKey: (secret: string) => call('revokeKey', { secret }),
    restoreKey: (secret: string) => call('restoreKey', { secret }),
    stopTokenService: () => call('stopTokenService', {}),
    startTokenService: () => call('startTokenService', {}),
  };
  return {
    ...tokens,
    type: options.clusterType ?? 'admin',
    namespace: `cluster-${clusterName}`,
    clusterName,
    version: GDC_VERSION,
    sshPort: running.machines[0].port,
  };
}
