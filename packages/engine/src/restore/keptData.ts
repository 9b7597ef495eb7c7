import { cancelled, ClusterAccess, connectCluster } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode, readControlPlaneNode } from '../layout';
import { change, Journal, note, readJournal } from './journal';

/** What a restore replaced on one machine and kept. @public */
export interface KeptData {
  machine: string;
  /** The restore that it was kept by. */
  operation: string;
  /** The folder on the machine. */
  path: string;
  /** What removing it gives back. */
  bytes: number;
  /** When that restore began, ISO 8601, UTC. */
  since: string;
}

/** What was found, or removed. @public */
export interface KeptReport {
  kept: KeptData[];
  /** Control-plane machines that could not be looked at, and why; what they have is as it was. */
  unread: Array<{ machine: string; message: string }>;
}

const REMOVED_WITHIN_MS = 10 * 60_000;
const OCCUPIED = 75;
const DAY_MS = 86_400_000;

/** As restores are named; the name becomes part of a path. */
const OPERATION =
  /^restore-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-[0-9a-f]{1,16}$/;

// What is being removed has another name, so that nobody takes half of it for the whole.
const LIST = `set -eu
current=$(cat /var/lib/cluster-backup/current 2>/dev/null || true)
for data; do
  for folder in "$data"/.cluster-backup-restore-* "$data"/.cluster-backup-accepted-restore-*; do
    if [ ! -d "$folder" ]; then continue; fi
    operation=restore-\${folder##*/.cluster-backup*-restore-}
    if [ "$operation" = "$current" ]; then continue; fi
    printf '%s %s %s\\n' "$(du -s -B 1 "$folder" | cut -f 1)" "$operation" "$folder"
  done
done`;

// Renamed under the lock, which takes a moment; removed after it.
const REMOVE = `if [ -n "$current" ]; then echo "$current"; exit ${OCCUPIED}; fi
for data; do
  accepted=$data/.cluster-backup-accepted-$operation
  if [ -e "$data/.cluster-backup-$operation" ]; then
    rm -rf "$accepted"
    mv "$data/.cluster-backup-$operation" "$accepted"
    sync "$data"
  fi
done
exec 9>&-
for data; do
  rm -rf "$data/.cluster-backup-accepted-$operation"
  sync "$data"
done`;

/** A node that could be looked at. */
interface Keeper {
  node: ControlPlaneNode;
  journal: Journal;
  kept: KeptData[];
}

/**
 * What restores replaced and kept on the control-plane nodes; the data of one that is not over is not among it.
 *
 * @throws ClusterBackupError where no machine can be reached or read
 * @public
 */
export async function keptData(
  cluster: ClusterAccess,
  options: { signal?: AbortSignal } = {},
): Promise<KeptReport> {
  return onKeepers(cluster, options, async keepers =>
    keepers.flatMap(({ kept }) => kept),
  );
}

/**
 * Removes what a restore replaced and kept, on every control-plane node that can be reached; from then on there is no way
 * back to it. It may be cut off anywhere and done again.
 *
 * @throws ClusterBackupError `kept-data-missing`, `restore-unfinished`, `machine-fenced`, `machine-locked`, and where no
 * machine can be reached or read
 * @public
 */
export async function acceptRestore(
  cluster: ClusterAccess,
  options: { operation: string; signal?: AbortSignal },
): Promise<KeptReport> {
  const { operation } = options;
  return onKeepers(cluster, options, async keepers => {
    refuseUnfinished(keepers);
    const removed = await remove(keepers, operation, options.signal);
    if (removed.length) return removed;
    throw new ClusterBackupError({
      code: 'kept-data-missing',
      message: `No control-plane node has data that a restore ${operation} kept.`,
      state: NOTHING_CHANGED,
      remedy: 'Nothing is to be done, unless another restore was meant.',
      details: { operation },
    });
  });
}

/**
 * Removes what restores kept that are older than so many days.
 *
 * @throws ClusterBackupError those of {@link acceptRestore}; that there is none is no error
 * @public
 */
export async function acceptOlderRestores(
  cluster: ClusterAccess,
  options: { days: number; now?: Date; signal?: AbortSignal },
): Promise<KeptReport> {
  const { days, now = new Date(), signal } = options;
  return onKeepers(cluster, options, async keepers => {
    const old = keepers
      .flatMap(({ kept }) => kept)
      .filter(({ since }) => isOlder(since, days, now));
    if (old.length) refuseUnfinished(keepers);
    for (const operation of new Set(old.map(kept => kept.operation))) {
      await remove(keepers, operation, signal);
    }
    return old;
  });
}

/** Whether what was kept since then has been kept for so many days. */
export function isOlder(since: string, days: number, now: Date): boolean {
  return now.getTime() - Date.parse(since) >= days * DAY_MS;
}

/** When a restore began, by its name; nothing where it is no restore's. */
export function begunAt(operation: string): string | undefined {
  const match = OPERATION.exec(operation);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

async function remove(
  keepers: Keeper[],
  operation: string,
  signal?: AbortSignal,
): Promise<KeptData[]> {
  const removed = await Promise.all(
    keepers.map(async ({ node, journal, kept }) => {
      const { machine } = node;
      const found = kept.filter(data => data.operation === operation);
      if (!found.length) return [];
      // No higher number than the machine has seen: a restore that begins meanwhile goes before.
      const attempt = { operation, fence: journal.fence };
      await change(machine, attempt, 'accept', REMOVE, dataDirsOf(node), {
        timeoutMs: REMOVED_WITHIN_MS,
        signal,
      });
      await note(machine, attempt, 'accept', 'done');
      return found;
    }),
  );
  return removed.flat();
}

async function onKeepers(
  access: ClusterAccess,
  options: { signal?: AbortSignal },
  act: (keepers: Keeper[]) => Promise<KeptData[]>,
): Promise<KeptReport> {
  const { signal = new AbortController().signal } = options;
  const cluster = await connectCluster(access, { signal });
  try {
    const unread: KeptReport['unread'] = [];
    let failure: ClusterBackupError | undefined;
    const looked = await Promise.all(
      cluster.outcomes
        .filter(({ role }) => role === 'control-plane')
        .map(async ({ access: { name }, machine, error }) => {
          try {
            if (!machine) throw error;
            const node = await readControlPlaneNode(machine, signal);
            const journal = await readJournal(machine);
            return [{ node, journal, kept: await keptOn(node, signal) }];
          } catch (cause) {
            if (!(cause instanceof ClusterBackupError)) throw cause;
            unread.push({ machine: name, message: cause.message });
            failure = cause;
            return [];
          }
        }),
    );
    const keepers = looked.flat();
    if (!keepers.length && failure) throw failure;
    return { kept: await act(keepers), unread };
  } catch (error) {
    if (signal.aborted && !(error instanceof ClusterBackupError)) {
      throw cancelled('What was not removed yet is kept.');
    }
    throw error;
  } finally {
    await cluster.close();
  }
}

/** Of every etcd that a restore may give new data. */
function dataDirsOf({ etcd, etcdEvents }: ControlPlaneNode): string[] {
  return [etcd, ...(etcdEvents ? [etcdEvents] : [])].map(
    ({ dataDir }) => dataDir,
  );
}

async function keptOn(
  node: ControlPlaneNode,
  signal: AbortSignal,
): Promise<KeptData[]> {
  const { machine } = node;
  const { stdout } = await machine.run(
    ['sh', '-c', LIST, 'sh', ...dataDirsOf(node)],
    { signal },
  );
  return stdout.split('\n').flatMap(line => {
    const [bytes, operation, ...path] = line.split(' ');
    const since = operation && begunAt(operation);
    return since
      ? [
          {
            machine: machine.name,
            operation,
            path: path.join(' '),
            bytes: Number(bytes),
            since,
          },
        ]
      : [];
  });
}

function refuseUnfinished(keepers: Keeper[]) {
  const current = keepers.find(({ journal }) => journal.current)?.journal;
  if (!current?.current) return;
  const { operation } = current.current;
  throw new ClusterBackupError({
    code: 'restore-unfinished',
    message: `The restore ${operation} is under way or was left half-way.`,
    state: 'Everything that was kept is kept.',
    remedy: 'Finish it with resume, or take it back with undo, first.',
    details: { operation },
  });
}
