import { ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Kubelet } from './kubelet';
import { UnitState } from './protocol';

/** A service as systemd would hold it. */
interface Unit {
  description: string;
  start(): void;
  stop(): void;
  active(): boolean;
  mainPid(): number;
}

/** The services of a node; names may carry `.service`. */
export class Units {
  private readonly units: Record<string, Unit>;
  private readonly since = new Map<string, number>();

  constructor(kubelet: Kubelet) {
    this.units = {
      kubelet: {
        description: 'kubelet: The Kubernetes Node Agent',
        start: () => kubelet.start(),
        stop: () => kubelet.stop(),
        active: () => kubelet.running,
        mainPid: () => (kubelet.running ? process.pid : 0),
      },
      ssh: sshDaemon(),
      containerd: {
        description: 'containerd container runtime',
        start: () => {},
        stop: () => {},
        active: () => true,
        mainPid: () => process.pid,
      },
    };
    for (const name of Object.keys(this.units))
      this.since.set(name, Date.now());
  }

  state(name: string): UnitState | null {
    const key = keyOf(name);
    const unit = this.units[key];
    if (!unit) return null;
    return {
      name: key,
      description: unit.description,
      active: unit.active(),
      enabled: true,
      mainPid: unit.mainPid(),
      since: this.since.get(key) ?? 0,
    };
  }

  start(name: string): void {
    const unit = this.find(name);
    if (unit.active()) return;
    unit.start();
    this.since.set(keyOf(name), Date.now());
  }

  stop(name: string): void {
    const unit = this.find(name);
    if (!unit.active()) return;
    unit.stop();
    this.since.set(keyOf(name), Date.now());
  }

  restart(name: string): void {
    this.stop(name);
    this.start(name);
  }

  private find(name: string): Unit {
    const unit = this.units[keyOf(name)];
    if (!unit) throw new Error(`Unit ${keyOf(name)}.service not found.`);
    return unit;
  }
}

function keyOf(name: string): string {
  const key = name.replace(/\.service$/, '');
  return key === 'sshd' ? 'ssh' : key;
}

function sshDaemon(): Unit {
  let daemon: ChildProcess | undefined;
  return {
    description: 'OpenBSD Secure Shell server',
    start() {
      const started = spawn(
        '/usr/sbin/sshd',
        ['-D', '-f', '/etc/ssh/sshd_config', '-E', '/var/log/sshd.log'],
        { stdio: 'ignore' },
      );
      daemon = started;
      const ended = () => {
        if (daemon === started) daemon = undefined;
      };
      started.on('error', ended);
      started.on('exit', ended);
    },
    stop() {
      daemon = undefined;
      // Connections from outside have no daemon as a parent.
      spawnSync('pkill', ['-KILL', '-x', 'sshd|sshd-session']);
    },
    active: () => daemon !== undefined,
    mainPid: () => daemon?.pid ?? 0,
  };
}
