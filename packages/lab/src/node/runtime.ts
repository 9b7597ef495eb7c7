import { ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';

/** What the kubelet asks the runtime to run. */
export interface ContainerSpec {
  podName: string;
  podNamespace: string;
  podUid: string;
  podSandboxId: string;
  name: string;
  image: string;
  command: string[];
  environment: Record<string, string>;
  user?: number;
  group?: number;
  attempt: number;
  gracePeriodSeconds: number;
  /** Changes with the content of the container's part of the manifest. */
  hash: string;
}

export interface Container extends ContainerSpec {
  id: string;
  imageRef: string;
  pid: number;
  state: 'CONTAINER_RUNNING' | 'CONTAINER_EXITED';
  exitCode: number;
  /** Milliseconds since 1970, as the others. 0 while it runs. */
  finishedAt: number;
  createdAt: number;
  logPath: string;
}

const IMAGES = '/run/lab/images';

/**
 * What containerd is to a node: containers run on whether or not the kubelet does. A container has the node's
 * processes and network, as the control plane's host-network pods do, and the programs of its image.
 */
export class ContainerRuntime extends EventEmitter<{ exit: [Container] }> {
  private readonly containers = new Map<string, Container>();
  private readonly processes = new Map<string, ChildProcess>();

  constructor(private readonly environment: NodeJS.ProcessEnv) {
    super();
  }

  /** Newest first, as `crictl ps` lists them. */
  list(): Container[] {
    return [...this.containers.values()].reverse();
  }

  start(spec: ContainerSpec): Container {
    const folder = `/var/log/pods/${spec.podNamespace}_${spec.podName}_${spec.podUid}/${spec.name}`;
    mkdirSync(folder, { recursive: true });
    const logPath = `${folder}/${spec.attempt}.log`;
    const log = openSync(logPath, 'a', 0o640);
    const programs = `${IMAGES}/${imageName(spec.image)}/usr/local/bin`;
    const child = spawn(
      'unshare',
      [
        ...['--mount', '--propagation', 'slave', 'sh', '-c'],
        'mount --bind "$0" /usr/local/bin && exec "$@"',
        programs,
        ...asUser(spec),
        ...spec.command,
      ],
      {
        stdio: ['ignore', log, log],
        detached: true,
        cwd: '/',
        env: {
          ...this.environment,
          LAB_IMAGE: spec.image,
          ...spec.environment,
        },
      },
    );
    closeSync(log);
    const container: Container = {
      ...spec,
      id: randomBytes(32).toString('hex'),
      imageRef: imageDigest(spec.image),
      pid: child.pid ?? 0,
      state: 'CONTAINER_RUNNING',
      exitCode: 0,
      createdAt: Date.now(),
      finishedAt: 0,
      logPath,
    };
    this.containers.set(container.id, container);
    this.processes.set(container.id, child);
    const ended = (code: number) => {
      if (container.state === 'CONTAINER_EXITED') return;
      container.state = 'CONTAINER_EXITED';
      container.exitCode = code;
      container.finishedAt = Date.now();
      this.processes.delete(container.id);
      this.emit('exit', container);
    };
    child.on('error', () => ended(128));
    child.on('exit', (code, signal) =>
      ended(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)),
    );
    return container;
  }

  /** SIGTERM, the grace period, SIGKILL. Without a grace period SIGKILL at once, as `crictl stop` does. */
  async stop(id: string, graceSeconds: number): Promise<void> {
    const child = this.processes.get(id);
    if (!child?.pid) return;
    const ended = once(child, 'exit');
    if (graceSeconds > 0) {
      child.kill('SIGTERM');
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise(resolve => {
        timer = setTimeout(resolve, graceSeconds * 1000);
      });
      await Promise.race([ended, late]);
      clearTimeout(timer);
    }
    if (this.processes.has(id)) {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        child.kill('SIGKILL');
      }
      await ended;
    }
  }

  /** Forgets a container that has ended. */
  remove(id: string): void {
    if (this.containers.get(id)?.state === 'CONTAINER_EXITED') {
      this.containers.delete(id);
    }
  }
}

/** The words before a command that runs it as who the pod says. */
function asUser({ user = 0, group = 0 }: ContainerSpec): string[] {
  if (!user && !group) return [];
  return [
    ...['setpriv', `--reuid=${user}`, `--regid=${group}`],
    ...['--clear-groups', '--no-new-privs', '--'],
  ];
}

/** `registry.k8s.io/etcd:3.5.16-0` is `etcd`. */
export function imageName(image: string): string {
  return image
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .replace(/^.*\//, '');
}

export function imageDigest(image: string): string {
  return `sha256:${createHash('sha256').update(image).digest('hex')}`;
}
