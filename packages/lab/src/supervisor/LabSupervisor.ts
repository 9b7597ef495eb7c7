import { ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { AddressInfo, createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventsEtcd, gdcDefaults } from '../gdc/plan';
import { owned } from '../gdc/rootless';
import {
  createServiceAccountKeys,
  ServiceAccountKey,
} from '../gdc/serviceAccounts';
import { ClusterPki, createClusterPki } from '../kubeadm/pki';
import {
  ClusterPlan,
  controlPlane,
  kubernetesPrograms,
  MachinePlan,
  mainEtcd,
} from '../kubeadm/plan';
import { AGENT_SOCKET, AgentMethods, askAgent } from '../node/protocol';
import {
  RunningLab,
  RunningMachine,
  SupervisorMethods,
  SupervisorOptions,
} from '../protocol';
import {
  emptySeed,
  findSeed,
  quotaFor,
  restoreCommand,
  Seed,
} from './etcdData';
import { writeImages } from './images';
import { Link } from './link';
import { LoopbackNetwork, takeLoopbackNetwork } from './loopback';
import {
  createNode,
  enterNode,
  NodeNamespaces,
  spawnBound,
} from './namespaces';
import { writeNodeFiles } from './nodeFiles';
import { placeOwnSudo } from './ownSudo';
import { createSshKeys, SshKeys } from './ssh';
import { TokenService } from './TokenService';

const run = promisify(execFile);

const kubeadmDefaults = {
  apiPort: 6443,
  frontPort: 6443,
  imageRepository: 'registry.k8s.io',
  kubernetesVersion: 'v1.31.4',
};
const NETWORK = '198.51.100';
const READY_MS = 120_000;
const TOOLS = ['crictl', 'systemctl', 'ctr', 'kubelet'];

interface LiveMachine {
  plan: MachinePlan;
  directory: string;
  namespaces: NodeNamespaces;
  link: Link;
  hostKey: SshKeys;
}

/** Builds the lab and takes it down. */
export class LabSupervisor {
  readonly methods: {
    [M in keyof SupervisorMethods]: (
      ...parameters: Parameters<SupervisorMethods[M]>
    ) => unknown;
  } = {
    setLink: ({ machine, state }) => this.find(machine).link.set(state),
    openPort: ({ machine }) => this.find(machine).link.open(),
    closePort: ({ machine }) => this.find(machine).link.close(),
    setPeerLink: ({ machine, up }) => this.setPeerLink(machine, up),
    powerOff: ({ machine }) => this.powerOff(this.find(machine)),
    powerOn: ({ machine }) => this.powerOn(this.find(machine)),
    revokeKey: ({ secret }) => this.tokens.revoke(secret),
    restoreKey: ({ secret }) => this.tokens.restore(secret),
    startTokenService: () => this.tokens.start(),
    stopTokenService: () => this.tokens.stop(),
  };
  private readonly cluster: ClusterPlan;
  private readonly machines: LiveMachine[] = [];
  private readonly tokens = new TokenService();
  private front?: ChildProcess;
  private frontPort = 0;
  /** Of a GDC lab, whose Cluster resource has an address for each machine and no port. */
  private loopback?: LoopbackNetwork;
  private givenUp = false;
  private stopping?: Promise<void>;

  constructor(private readonly options: SupervisorOptions) {
    const named = (
      role: MachinePlan['role'],
      prefix: string,
      count: number,
      from: number,
    ) =>
      Array.from({ length: count }, (_, index) => ({
        name: `${prefix}-${index + 1}`,
        role,
        address: `${NETWORK}.${from + index + 1}`,
      }));
    const isGdc = options.flavor === 'gdc';
    this.cluster = {
      ...(isGdc ? gdcDefaults : kubeadmDefaults),
      flavor: options.flavor,
      name: options.name,
      machines: [
        ...named('control-plane', 'cp', options.nodes, 10),
        ...named('worker', 'worker', options.workers, 20),
      ],
      frontAddress: `${NETWORK}.10`,
      etcdVersion: options.programs.etcdVersion,
      etcdQuota: options.seed ? quotaFor(options.seed) : undefined,
      etcds: isGdc ? [mainEtcd, eventsEtcd] : [mainEtcd],
    };
  }

  async start(): Promise<RunningLab> {
    const { directory, programs, seed } = this.options;
    const scratch = join(directory, 'scratch', 'empty');
    const kept = join(this.options.checkout, 'packages/lab/dist');
    if (this.cluster.flavor === 'gdc') {
      this.loopback = await takeLoopbackNetwork();
    }
    const [pki, keys, empty, serviceAccountKeys] = await allSettled([
      createClusterPki(),
      createSshKeys(join(directory, 'access'), 'lab'),
      emptySeed(programs, kept, scratch),
      this.startTokenService(),
      writeImages(join(directory, 'images'), programs),
      this.startFront(),
    ]);
    const machines = await allSettled(
      this.cluster.machines.map(plan => this.startMachine(plan, pki, keys)),
    );
    // Members are to start in their order, however long each took.
    this.machines.splice(0, machines.length, ...machines);
    await this.connectMachines(machines);
    const data = seed ? await findSeed(seed) : empty;
    await Promise.all(machines.map(machine => this.fill(machine, data, empty)));
    await this.startAgents();
    await Promise.all(machines.map(machine => this.ready(machine)));
    return {
      machines: machines.map(describe),
      front: {
        internal: `${this.cluster.frontAddress}:${this.cluster.frontPort}`,
        port: this.frontPort,
      },
      privateKey: keys.key,
      tokenUrl: this.tokens.url,
      serviceAccountKeys,
    };
  }

  /** Lets a start that is under way fail at the next occasion. */
  giveUp(): void {
    this.givenUp = true;
  }

  stop(): Promise<void> {
    this.stopping ??= this.takeDown();
    return this.stopping;
  }

  private async takeDown(): Promise<void> {
    this.machines.forEach(({ link }) => link.close());
    this.loopback?.release();
    await this.tokens.stop();
    await Promise.all(
      this.machines.map(({ namespaces }) => namespaces.destroy()),
    );
    if (this.front && this.front.exitCode === null) {
      const ended = once(this.front, 'exit');
      this.front.kill('SIGKILL');
      await ended;
    }
    await rm(this.options.directory, {
      recursive: true,
      force: true,
      // What a dying process still writes is gone with the next try.
      maxRetries: 10,
    });
  }

  private find(name: string): LiveMachine {
    const machine = this.machines.find(({ plan }) => plan.name === name);
    if (!machine) throw new Error(`The lab has no machine ${name}.`);
    return machine;
  }

  private async startTokenService(): Promise<
    Record<string, ServiceAccountKey>
  > {
    if (!this.options.serviceAccounts) return {};
    await this.tokens.start();
    const keys = await createServiceAccountKeys(this.tokens.url);
    this.tokens.trust(keys);
    return keys;
  }

  private async startFront(): Promise<void> {
    const front = spawnBound(
      [
        ...['unshare', '--net', '--', process.execPath],
        join(this.options.checkout, 'packages/lab/dist/front.cjs'),
      ],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    );
    this.front = front;
    const failed = once(front, 'exit').then(() => {
      throw new Error('The front of the lab could not be started.');
    });
    failed.catch(() => {});
    front.send({
      address: this.cluster.frontAddress,
      port: this.cluster.frontPort,
      backends: controlPlane(this.cluster).map(({ address }) => address),
      backendPort: this.cluster.apiPort,
    });
    await Promise.race([once(front, 'message'), failed]);
    const outside = createServer();
    outside.listen(0, '127.0.0.1');
    await once(outside, 'listening');
    this.frontPort = (outside.address() as AddressInfo).port;
    front.send('outside', outside, () => outside.close());
  }

  private async startMachine(
    plan: MachinePlan,
    pki: ClusterPki,
    keys: SshKeys,
  ): Promise<LiveMachine> {
    const directory = join(this.options.directory, 'nodes', plan.name);
    const root = join(directory, 'root');
    const localBin = join(directory, 'local-bin');
    await mkdir(localBin, { recursive: true });
    const hostKey = await createSshKeys(join(directory, 'keys'), plan.name);
    await Promise.all([
      writeTools(localBin),
      placeOwnSudo(root, localBin),
      writeNodeFiles({
        root,
        cluster: this.cluster,
        node: plan,
        pki,
        login: this.options.login,
        keys,
        hostKey,
        controlPlanePrograms: this.hasControlPlanePrograms(),
      }),
    ]);
    const machine: LiveMachine = {
      plan,
      directory,
      namespaces: await this.createNamespaces(plan, directory),
      link: new Link(
        this.loopback?.address(hostOf(plan)) ?? '127.0.0.1',
        this.loopback?.port ?? 0,
        socket => this.handOver(socket, machine.namespaces.pid),
        this.options.links,
      ),
      hostKey,
    };
    this.machines.push(machine);
    await machine.link.open();
    return machine;
  }

  private async createNamespaces(
    plan: MachinePlan,
    directory: string,
  ): Promise<NodeNamespaces> {
    const log = await open(join(directory, 'init.log'), 'a');
    return createNode(this.environment(plan, directory), log.fd).finally(() =>
      log.close(),
    );
  }

  private async powerOff(machine: LiveMachine): Promise<void> {
    const { link, namespaces, plan } = machine;
    link.close();
    await this.inSwitch([`link del ${plan.name}`]);
    await namespaces.destroy();
  }

  private async powerOn(machine: LiveMachine): Promise<number> {
    machine.namespaces = await this.createNamespaces(
      machine.plan,
      machine.directory,
    );
    await this.connectMachines([machine]);
    await machine.namespaces.go();
    await machine.link.open();
    return machine.namespaces.pid;
  }

  private hasControlPlanePrograms(): boolean {
    const { kubernetes, standIns } = this.options.programs;
    return kubernetesPrograms.every(name => kubernetes[name] ?? standIns[name]);
  }

  private environment(
    plan: MachinePlan,
    nodeDirectory: string,
  ): Record<string, string> {
    const { directory, checkout, etcdDisk } = this.options;
    const agent = {
      LAB_ADDRESS: plan.address,
      LAB_API_PORT: String(this.cluster.apiPort),
      LAB_APISERVER_STOP_SECONDS: String(this.options.apiServerStopSeconds),
    };
    return {
      LAB_NAME: plan.name,
      LAB_ROOT: join(nodeDirectory, 'root'),
      LAB_LOCAL_BIN: join(nodeDirectory, 'local-bin'),
      LAB_NODE: process.execPath,
      LAB_CHECKOUT: checkout,
      LAB_IMAGES: join(directory, 'images'),
      LAB_HIDDEN: ['etcd', 'etcdctl', 'etcdutl']
        .map(name => `bin/${name}`)
        .join(' '),
      LAB_ETCD_DISK:
        etcdDisk && plan.role === 'control-plane'
          ? [`size=${etcdDisk.sizeMiB}m`, ...this.etcdOwner()].join()
          : '',
      LAB_AGENT_ENVIRONMENT: Object.entries(agent)
        .map(([name, value]) => `${name}=${value}`)
        .join(' '),
    };
  }

  private etcdOwner(): string[] {
    if (this.cluster.flavor !== 'gdc') return [];
    const { user, group } = owned[mainEtcd.dataDirectory];
    return [`uid=${user}`, `gid=${group}`];
  }

  private handOver(socket: Socket, pid: number): void {
    socket.on('error', () => {});
    const sshd = spawn(
      enterNode(pid)[0],
      [
        ...enterNode(pid).slice(1),
        ...['/usr/sbin/sshd', '-i', '-f', '/etc/ssh/sshd_config'],
        ...['-E', '/var/log/sshd.log'],
      ],
      { stdio: [socket, socket, 'ignore'], env: {} },
    );
    sshd.on('error', () => {});
    // Ours goes without a word to the other side; sshd's stays.
    socket.destroy();
  }

  private async connectMachines(machines: LiveMachine[]): Promise<void> {
    const lines = machines.flatMap(({ plan, namespaces }) => [
      `link add ${plan.name} type veth peer name eth0 netns ${namespaces.pid}`,
      `link set ${plan.name} master br0 up`,
    ]);
    await this.inSwitch(lines);
    await Promise.all(
      machines.map(({ plan, namespaces }) =>
        batch(
          ['nsenter', '-t', String(namespaces.pid), '-n', 'ip', '-batch', '-'],
          [`addr add ${plan.address}/24 dev eth0`, 'link set eth0 up'],
        ),
      ),
    );
  }

  private setPeerLink(machine: string, up: boolean): Promise<void> {
    return this.inSwitch([`link set ${machine} ${up ? 'up' : 'down'}`]);
  }

  private inSwitch(lines: string[]): Promise<void> {
    return batch(
      ['nsenter', '-t', String(this.front?.pid), '-n', 'ip', '-batch', '-'],
      lines,
    );
  }

  private async fill(
    { plan, namespaces }: LiveMachine,
    seed: Seed,
    empty: Seed,
  ): Promise<void> {
    if (plan.role === 'worker') return;
    for (const etcd of this.cluster.etcds) {
      // Through the node's eyes, as its data directory may be a mount of its own.
      const directory = `/proc/${namespaces.pid}/root${etcd.dataDirectory}`;
      const [program, ...argv] = restoreCommand(
        this.options.programs.etcdutl,
        etcd === mainEtcd ? seed : empty,
        etcd,
        plan,
        controlPlane(this.cluster),
        directory,
      );
      await run(program, argv, { maxBuffer: 16 * 1024 * 1024 });
      await chmod(directory, 0o700);
      if (this.cluster.flavor !== 'gdc') continue;
      const { user, group } = owned[etcd.dataDirectory];
      await run('chown', ['-R', `${user}:${group}`, directory]);
    }
  }

  /**
   * One control-plane node after the other: kubeadm has members ask each other for their hashes before they serve,
   * and those that start together wait for each other, seven seconds a peer.
   */
  private async startAgents(): Promise<void> {
    for (const machine of this.machines) {
      await machine.namespaces.go();
      if (machine.plan.role === 'worker') continue;
      await this.waitFor(
        `etcd of ${machine.plan.name}`,
        async () =>
          (await ask(machine, 'etcdServes')) &&
          (this.cluster.flavor !== 'gdc' ||
            (await ask(machine, 'etcdEventsServes'))),
        () => this.complaint(machine),
      );
    }
  }

  private ready(machine: LiveMachine): Promise<void> {
    return this.waitFor(
      machine.plan.name,
      async () => {
        const ready = await ask(machine, 'readiness');
        if (machine.plan.role === 'worker') {
          return ready.node || !this.hasControlPlanePrograms();
        }
        const isGdc = this.cluster.flavor === 'gdc';
        const etcds = ready.etcd && (ready.etcdEvents || !isGdc);
        if (!this.hasControlPlanePrograms()) return etcds;
        return etcds && ready.apiServer && ready.node;
      },
      () => this.complaint(machine),
    );
  }

  private async waitFor(
    what: string,
    done: () => Promise<boolean>,
    complaint: () => Promise<string>,
  ): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while (!(await done().catch(() => false))) {
      if (this.givenUp) throw new Error('The start of the lab was given up.');
      if (Date.now() > deadline) {
        throw new Error(
          `${what} was not ready within ${
            READY_MS / 1000
          } s.\n${await complaint()}`,
        );
      }
      await sleep(50);
    }
  }

  /** The last words of what runs there. */
  private async complaint({ directory }: LiveMachine): Promise<string> {
    const { stdout } = await run('bash', [
      '-c',
      'tail -n 3 "$0"/agent.log $(find "$0"/pods -name "*.log")',
      join(directory, 'root/var/log'),
    ]).catch(() => ({ stdout: '' }));
    return stdout;
  }
}

function ask<M extends keyof AgentMethods>(
  { namespaces }: LiveMachine,
  method: M,
  ...parameters: Parameters<AgentMethods[M]>
): Promise<ReturnType<AgentMethods[M]>> {
  return askAgent(
    `/proc/${namespaces.pid}/root${AGENT_SOCKET}`,
    method,
    ...parameters,
  );
}

/** As `Promise.all`, but nothing goes on behind a failure, so that what is there can be taken down. */
async function allSettled<T extends readonly unknown[]>(
  promises: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}

function describe({
  plan,
  namespaces,
  link,
  hostKey,
}: LiveMachine): RunningMachine {
  return {
    name: plan.name,
    role: plan.role,
    pid: namespaces.pid,
    internalAddress: plan.address,
    address: link.address,
    port: link.port,
    hostKey: hostKey.publicKey,
  };
}

/** The last of the four numbers of a machine's address. */
function hostOf({ address }: MachinePlan): number {
  return Number(address.split('.')[3]);
}

async function writeTools(localBin: string): Promise<void> {
  for (const tool of TOOLS) {
    await writeFile(
      join(localBin, tool),
      `#!/bin/sh\nexec /run/lab/node /run/lab/checkout/packages/lab/dist/tools.cjs ${tool} "$@"\n`,
      { mode: 0o755 },
    );
  }
}

async function batch(argv: string[], lines: string[]): Promise<void> {
  const [program, ...rest] = argv;
  const child = spawn(program, rest, { stdio: ['pipe', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr!.on('data', chunk => {
    errors += chunk;
  });
  child.stdin!.end(`${lines.join('\n')}\n`);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${lines.join('; ')}: ${errors.trim()}`);
}
