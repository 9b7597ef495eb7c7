import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { MachineAccessData } from './Lab';
import { mainEtcd } from './kubeadm/plan';
import { etcdctl } from './levers/etcdctl';
import { EtcdEventsLevers } from './levers/EtcdEventsLevers';
import { EtcdLevers } from './levers/EtcdLevers';
import { LinkLevers } from './levers/LinkLevers';
import { LoginLevers } from './levers/LoginLevers';
import { SystemLevers } from './levers/SystemLevers';
import { upgradeControlPlane, upgradeKubelet } from './levers/upgrade';
import { AgentMethods, AGENT_SOCKET, askAgent } from './node/protocol';
import { Call, RunningMachine } from './protocol';
import { enterNode } from './supervisor/namespaces';

/** What a command in a node ended with. @public */
export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** @public */
export interface ExecOptions {
  /** Given to standard input. */
  input?: string | Buffer;
  /** Exit codes that are not errors; `any` takes all. Default `[0]`. */
  accept?: number[] | 'any';
}

/** One machine of a lab. @public */
export class LabNode {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  /** Its address inside the lab. */
  readonly internalAddress: string;
  /** Its network and its way in. */
  readonly link: LinkLevers;
  /** Who gets in. */
  readonly login: LoginLevers;
  /** The machine itself: power, kubelet, files, tools, clock. */
  readonly system: SystemLevers;
  /** Its etcd member. */
  readonly etcd: EtcdLevers;
  /** Its member of the etcd that keeps Events, on a GDC lab. */
  readonly etcdEvents: EtcdEventsLevers;
  private process: number;

  constructor(
    private readonly machine: RunningMachine,
    private readonly context: {
      user: 'root' | 'ops';
      privateKey: string;
      call: Call;
      peers: () => LabNode[];
    },
  ) {
    const { name } = machine;
    const { call, user } = context;
    this.name = name;
    this.role = machine.role;
    this.internalAddress = machine.internalAddress;
    this.process = machine.pid;
    this.link = new LinkLevers(name, call);
    this.login = new LoginLevers(
      this,
      user === 'ops' ? '/home/ops' : '/root',
      call,
    );
    this.system = new SystemLevers(this, {
      off: () => call('powerOff', { machine: name }),
      on: async () => {
        this.process = await call('powerOn', { machine: name });
      },
    });
    this.etcd = new EtcdLevers(this, () =>
      context.peers().filter(peer => peer !== this),
    );
    this.etcdEvents = new EtcdEventsLevers(this);
  }

  /** Process 1 of the machine, as seen from here. */
  get pid(): number {
    return this.process;
  }

  /** How an SSH client reaches it. */
  access(): MachineAccessData {
    const { address, port, hostKey } = this.machine;
    const key = hostKey.split(' ').slice(0, 2).join(' ');
    return {
      name: this.name,
      address,
      port,
      user: this.context.user,
      privateKey: this.context.privateKey,
      knownHosts: `[${address}]:${port} ${key}\n${this.internalAddress} ${key}\n`,
      internalAddress: this.internalAddress,
    };
  }

  /** Where a file of the machine is found from here while the machine runs. */
  path(path: string): string {
    return join(`/proc/${this.pid}/root`, path);
  }

  async readFile(path: string): Promise<string> {
    return (await this.exec(['cat', path])).stdout;
  }

  /** Writes a file with its own mode kept, or 0644 where it is new. */
  async writeFile(path: string, text: string | Buffer): Promise<void> {
    await this.exec(['tee', path], { input: text });
  }

  /**
   * Runs a command in the machine as root, past its SSH.
   *
   * @throws Error when it ends with a code that is not accepted.
   */
  async exec(argv: string[], options: ExecOptions = {}): Promise<ExecResult> {
    const result = await this.spawn(argv, options.input);
    const accept = options.accept ?? [0];
    if (accept !== 'any' && !accept.includes(result.code)) {
      throw new Error(
        `${this.name}: ${argv.join(' ')} ended with ${result.code}: ${
          result.stderr || result.stdout
        }`,
      );
    }
    return result;
  }

  /** Runs etcdctl against this machine's member with the certificates of its health check. */
  etcdctl(args: string[], options: ExecOptions = {}): Promise<ExecResult> {
    return etcdctl(this, mainEtcd, args, options);
  }

  /**
   * Upgrades the control plane of this machine, and of no other, as `kubeadm upgrade` does; resolves when it is ready.
   *
   * @param version - as of an image's tag: `v1.32.4`
   */
  upgrade(version: { kubernetesVersion: string }): Promise<void> {
    return upgradeControlPlane(this, version.kubernetesVersion);
  }

  /** Upgrades the machine's kubelet; its Node tells so a moment later. */
  upgradeKubelet(version: { kubernetesVersion: string }): Promise<void> {
    return upgradeKubelet(this, version.kubernetesVersion);
  }

  /** Asks the machine's agent. */
  ask<M extends keyof AgentMethods>(
    method: M,
    ...parameters: Parameters<AgentMethods[M]>
  ): Promise<ReturnType<AgentMethods[M]>> {
    return askAgent(this.path(AGENT_SOCKET), method, ...parameters);
  }

  private spawn(
    argv: string[],
    input: string | Buffer = '',
  ): Promise<ExecResult> {
    return new Promise((resolve, reject) => {
      const [program, ...rest] = [...enterNode(this.pid), ...argv];
      const child = spawn(program, rest, {
        env: {
          PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
          HOME: '/root',
          LANG: 'C.UTF-8',
        },
      });
      const output: Buffer[] = [];
      const errors: Buffer[] = [];
      child.stdout.on('data', chunk => output.push(chunk));
      child.stderr.on('data', chunk => errors.push(chunk));
      child.stdin.on('error', () => {});
      child.on('error', reject);
      child.on('close', (code, signal) =>
        resolve({
          code: code ?? (signal ? 137 : 255),
          stdout: Buffer.concat(output).toString(),
          stderr: Buffer.concat(errors).toString(),
        }),
      );
      child.stdin.end(input);
    });
  }
}
