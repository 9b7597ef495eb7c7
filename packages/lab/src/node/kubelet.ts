import { randomBytes, createHash } from 'node:crypto';
import { existsSync, FSWatcher, mkdirSync, readFileSync, watch } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parse } from 'yaml';
import { Container, ContainerRuntime } from './runtime';
import { readStaticPods, StaticPod } from './staticPods';

const RESYNC_MS = 20_000;
/** A file that is being written raises several events. */
const SETTLE_MS = 50;
const FIRST_BACK_OFF_MS = 1000;
const LONGEST_BACK_OFF_MS = 10_000;
/** A container that ran this long is started again without a back-off. */
const STEADY_MS = 10_000;

interface BackOff {
  delay: number;
  until: number;
}

/** Runs the static pods of the manifests folder as the kubelet does; nothing starts or stops while it is stopped. */
export class Kubelet {
  private watcher?: FSWatcher;
  private resync?: NodeJS.Timeout;
  private settling?: NodeJS.Timeout;
  private wake?: NodeJS.Timeout;
  private desired = new Map<string, StaticPod>();
  private readonly terminating = new Set<string>();
  private readonly backOffs = new Map<string, BackOff>();
  private readonly sandboxes = new Map<string, string>();
  running = false;
  startedAt = 0;

  constructor(
    private readonly nodeName: string,
    private readonly runtime: ContainerRuntime,
  ) {
    runtime.on('exit', container => this.exited(container));
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.startedAt = Date.now();
    // A restarted kubelet has forgotten its back-offs.
    this.backOffs.clear();
    this.desired.clear();
    this.watchFolder();
    this.resync = setInterval(() => {
      this.watchFolder();
      this.list(true);
    }, RESYNC_MS);
    this.list(true);
  }

  stop(): void {
    this.running = false;
    this.watcher?.close();
    this.watcher = undefined;
    clearInterval(this.resync);
    clearTimeout(this.settling);
    clearTimeout(this.wake);
  }

  private folder(): string {
    const config = parse(readFileSync('/var/lib/kubelet/config.yaml', 'utf8'));
    return config.staticPodPath;
  }

  private watchFolder(): void {
    if (this.watcher) return;
    try {
      const folder = this.folder();
      const watcher = watch(folder, () => {
        clearTimeout(this.settling);
        this.settling = setTimeout(() => {
          // A folder that was replaced is watched anew.
          if (!existsSync(folder)) this.unwatch();
          this.list(false);
        }, SETTLE_MS);
      });
      watcher.on('error', () => this.unwatch());
      this.watcher = watcher;
    } catch {
      // Tried again with the next resync, as the kubelet does.
    }
  }

  private unwatch(): void {
    this.watcher?.close();
    this.watcher = undefined;
  }

  /** @param whole - Whether a file that cannot be read takes its pod away; an event alone does not. */
  private list(whole: boolean): void {
    let listing;
    try {
      listing = readStaticPods(this.folder(), this.nodeName);
    } catch {
      return;
    }
    const pods = new Map(listing.pods.map(pod => [pod.uid, pod]));
    if (!whole) {
      for (const pod of this.desired.values()) {
        if (listing.unreadable.includes(pod.file)) pods.set(pod.uid, pod);
      }
    }
    this.desired = pods;
    this.reconcile();
  }

  private exited(container: Container): void {
    const key = `${container.podUid}/${container.name}`;
    const ran = container.finishedAt - container.createdAt;
    const before = this.backOffs.get(key);
    const delay =
      ran > STEADY_MS || !before
        ? FIRST_BACK_OFF_MS
        : Math.min(before.delay * 2, LONGEST_BACK_OFF_MS);
    this.backOffs.set(key, { delay, until: Date.now() + delay });
    this.reconcile();
  }

  private reconcile(): void {
    if (!this.running) return;
    clearTimeout(this.wake);
    const containers = this.runtime.list();
    for (const container of containers) {
      if (!this.desired.has(container.podUid)) this.terminate(container);
    }
    let next = Infinity;
    for (const pod of this.desired.values()) {
      next = Math.min(next, this.startMissing(pod));
    }
    if (next < Infinity) {
      this.wake = setTimeout(
        () => this.reconcile(),
        Math.max(0, next - Date.now()),
      );
    }
  }

  private terminate(container: Container): void {
    if (container.state === 'CONTAINER_EXITED') {
      this.forget(container);
      return;
    }
    if (this.terminating.has(container.id)) return;
    this.terminating.add(container.id);
    this.runtime
      .stop(container.id, container.gracePeriodSeconds)
      .finally(() => {
        this.terminating.delete(container.id);
        // Also where the file came back meanwhile: a pod that was taken away starts anew.
        this.forget(container);
        this.reconcile();
      });
  }

  private forget(container: Container): void {
    this.runtime.remove(container.id);
    this.backOffs.delete(`${container.podUid}/${container.name}`);
    this.sandboxes.delete(container.podUid);
  }

  /** Returns when to look again, in milliseconds since 1970. */
  private startMissing(pod: StaticPod): number {
    const containers = this.runtime.list();
    const live = containers.filter(
      ({ state }) => state === 'CONTAINER_RUNNING',
    );
    const inTheWay = live.some(
      other =>
        other.podName === pod.name &&
        other.podNamespace === pod.namespace &&
        (other.podUid !== pod.uid || this.terminating.has(other.id)),
    );
    if (inTheWay) return Infinity;
    let next = Infinity;
    for (const container of pod.containers) {
      const mine = (other: Container) =>
        other.podUid === pod.uid && other.name === container.name;
      if (live.some(mine)) continue;
      const backOff = this.backOffs.get(`${pod.uid}/${container.name}`);
      if (backOff && backOff.until > Date.now()) {
        next = Math.min(next, backOff.until);
        continue;
      }
      const [last, ...older] = containers.filter(mine);
      older.forEach(({ id }) => this.runtime.remove(id));
      makeHostPaths(pod);
      this.runtime.start({
        ...container,
        podName: pod.name,
        podNamespace: pod.namespace,
        podUid: pod.uid,
        podSandboxId: this.sandbox(pod.uid),
        attempt: last ? last.attempt + 1 : 0,
        gracePeriodSeconds: pod.gracePeriodSeconds,
        hash: createHash('md5')
          .update(JSON.stringify(container))
          .digest('hex')
          .slice(0, 8),
      });
    }
    return next;
  }

  private sandbox(uid: string): string {
    const known = this.sandboxes.get(uid);
    if (known) return known;
    const id = randomBytes(32).toString('hex');
    this.sandboxes.set(uid, id);
    return id;
  }
}

function makeHostPaths(pod: StaticPod): void {
  for (const { path, type } of pod.hostPaths) {
    if (existsSync(path)) continue;
    try {
      if (type === 'DirectoryOrCreate') mkdirSync(path, { recursive: true });
      if (type === 'FileOrCreate') {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
      }
    } catch {
      // The machine's own folders are read-only here; nothing of the pod needs them.
    }
  }
}
