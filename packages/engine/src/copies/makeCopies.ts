import { Readable } from 'node:stream';
import { ArchiveSummary, encodeSummary } from '../archive';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { fanOut } from '../fanOut';
import { Progress } from '../progress';
import { BackupStore, Spooled, throughDisk } from '../store';
import { commitCopy } from './commitCopy';
import { Copy } from './Copy';
import { proveWritten } from './readBack';

/** A store that takes nothing for so long holds up all others. */
const PATIENCE_MS = 60_000;

/** A store that is not open yet: one that cannot be opened keeps nobody from using the others. @public */
export interface StoreToOpen {
  id: string;
  open(): Promise<BackupStore>;
  /** It may be slow: what it has not taken waits on the disk. */
  spool?: SpoolPlace;
}

/** Where what a slow store has not taken waits; the system's usual place without a directory. @public */
export interface SpoolPlace {
  directory?: string;
}

/** A copy that is being made: in an open store, or with a problem, which leaves it behind. */
export type CopyInMaking =
  | {
      id: string;
      store: BackupStore;
      spool?: SpoolPlace;
      lockedUntil?: Date;
      problem?: undefined;
    }
  | { id: string; problem: ClusterBackupError };

export async function openCopies(
  stores: StoreToOpen[],
): Promise<CopyInMaking[]> {
  return Promise.all(
    stores.map(async ({ id, open, spool }) => {
      try {
        return { id, store: await open(), spool };
      } catch (error) {
        return { id, problem: problemOf(id, error) };
      }
    }),
  );
}

/** Whether a store has a file of that name. One that does not answer says why when it is written to. */
export async function isAnywhere(
  copies: CopyInMaking[],
  key: string,
): Promise<boolean> {
  const found = await Promise.all(
    copies.map(copy =>
      copy.problem ? undefined : copy.store.head(key).catch(() => undefined),
    ),
  );
  return found.some(file => file !== undefined);
}

/** Streams an archive into several stores at once; those that may be slow have a disk between. */
export async function writeCopies(
  copies: CopyInMaking[],
  key: string,
  archive: Readable,
  options: { signal: AbortSignal; patienceMs?: number; progress?: Progress },
): Promise<CopyInMaking[]> {
  const { signal, patienceMs = PATIENCE_MS, progress = () => {} } = options;
  const open = copies.filter(copy => !copy.problem);
  const sent = sending(progress);
  const results = await fanOut(
    archive,
    open.map(({ id, store, spool }) => async chunks => {
      const put = (source: AsyncIterable<Uint8Array>) =>
        patiently(store, key, source, signal, patienceMs);
      if (!spool) return put(chunks);
      const { directory } = spool;
      return throughDisk(directory, chunks, put, sent.of(id)).finally(() =>
        sent.gone(id),
      );
    }),
  );
  sent.end();
  return copies.map(copy => {
    const result = copy.problem ? undefined : results[open.indexOf(copy)];
    return result?.status === 'rejected'
      ? { id: copy.id, problem: problemOf(copy.id, result.reason) }
      : copy;
  });
}

const TELL_EVERY_MS = 500;
const SEND = { step: 'send', title: 'Send what waits on the disk' } as const;

/** Tells of the store that is furthest behind, once all of the archive is on the disk. */
function sending(progress: Progress) {
  const taken = new Map<string, number>();
  let last: { done: number; at: number } | undefined;
  return {
    of: (store: string): Spooled => {
      taken.set(store, 0);
      return bytes => {
        const { total } = bytes;
        taken.set(store, bytes.taken);
        const at = performance.now();
        if (total === undefined) return;
        if (last && at - last.at < TELL_EVERY_MS) return;
        if (!last) progress({ type: 'step', ...SEND, status: 'started' });
        const done = Math.min(...taken.values());
        const rate = last ? ((done - last.done) * 1000) / (at - last.at) : 0;
        progress({ type: 'bytes', step: SEND.step, done, total, rate });
        last = { done, at };
      };
    },
    gone: (store: string) => taken.delete(store),
    end: () => last && progress({ type: 'step', ...SEND, status: 'done' }),
  };
}

/** Reads each copy back; what is not what was written is removed again. */
export async function proveCopies(
  copies: CopyInMaking[],
  key: string,
  { ciphertext }: ArchiveSummary,
  signal: AbortSignal,
): Promise<CopyInMaking[]> {
  return onEach(copies, async store => {
    await proveWritten(store, key, ciphertext, signal);
  });
}

/** Writes the summary beside each copy: from then on it is a backup. */
export async function commitCopies(
  copies: CopyInMaking[],
  key: string,
  summary: ArchiveSummary,
): Promise<CopyInMaking[]> {
  const bytes = encodeSummary(summary);
  return onEach(copies, store => commitCopy(store, key, bytes));
}

/**
 * Why there is no backup though the archive was written.
 *
 * @throws ClusterBackupError the store's own problem where there is one store, `no-copy-stored` where there are several
 */
export function refuseWithoutCopy(copies: CopyInMaking[]) {
  const problems = copies.map(({ problem }) => problem);
  if (problems.some(problem => !problem)) return;
  if (problems.length === 1) throw problems[0];
  throw new ClusterBackupError({
    code: 'no-copy-stored',
    message: `No store took the backup. ${copies
      .map(({ id, problem }) => `${id}: ${problem!.message}`)
      .join(' ')}`,
    state: NOTHING_CHANGED,
    remedy: copies
      .map(({ id, problem }) => `${id}: ${problem!.remedy}`)
      .join(' '),
    details: Object.fromEntries(
      copies.map(({ id, problem }) => [id, problem!.code]),
    ),
  });
}

/** Of a backup that is not to be; a store that cannot remove it keeps an orphan. */
export async function removeCopies(copies: CopyInMaking[], key: string) {
  await onEach(copies, store => store.remove(key));
}

/** What came of it. */
export function copyOf(copy: CopyInMaking): Copy {
  const { id, problem } = copy;
  return problem
    ? { store: id, problem }
    : { store: id, lockedUntil: copy.lockedUntil };
}

/** Does the same in every store that has no problem yet; where it fails, that is the copy's problem. */
export async function onEach(
  copies: CopyInMaking[],
  act: (store: BackupStore) => Promise<Date | void | undefined>,
): Promise<CopyInMaking[]> {
  return Promise.all(
    copies.map(async copy => {
      if (copy.problem) return copy;
      const { id, store } = copy;
      try {
        return { id, store, lockedUntil: (await act(store)) ?? undefined };
      } catch (error) {
        return { id, problem: problemOf(id, error) };
      }
    }),
  );
}

/** What a store threw, as a problem of its copy. */
export function problemOf(id: string, error: unknown) {
  if (error instanceof ClusterBackupError) return error;
  return new ClusterBackupError({
    code: 'store-failed',
    message: `Store ${id} failed as nobody foresaw: ${
      (error as Error)?.message ?? error
    }.`,
    state: NOTHING_CHANGED,
    remedy: `Look at store ${id}, then take the backup again.`,
    details: { store: id },
    cause: error,
  });
}

async function patiently(
  store: BackupStore,
  key: string,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  patienceMs: number,
): Promise<void> {
  const giveUp = new AbortController();
  let takenAt = performance.now();
  let isWaiting = false;
  /** The time that the archive itself takes is not the store's. */
  async function* watched() {
    const iterator = chunks[Symbol.asyncIterator]();
    for (;;) {
      isWaiting = true;
      const { done, value } = await iterator.next();
      isWaiting = false;
      takenAt = performance.now();
      if (done) return;
      yield value;
    }
  }
  const stalled = new Promise<never>((_, reject) => {
    giveUp.signal.addEventListener('abort', () => reject(giveUp.signal.reason));
  });
  const watch = setInterval(() => {
    if (!isWaiting && performance.now() - takenAt > patienceMs) {
      giveUp.abort(storeStalled(store, key, patienceMs));
    }
  }, patienceMs / 10);
  try {
    await Promise.race([
      store.put(key, watched(), {
        signal: AbortSignal.any([signal, giveUp.signal]),
      }),
      stalled,
    ]);
  } finally {
    clearInterval(watch);
  }
}

function storeStalled(store: BackupStore, key: string, patienceMs: number) {
  return new ClusterBackupError({
    code: 'store-stalled',
    message: `Store ${store.id} took nothing of ${key} for ${Math.round(
      patienceMs / 1000,
    )} seconds.`,
    state: `${NOTHING_CHANGED} Nothing is under that name in this store.`,
    remedy: `Look at store ${store.id}: its disk or the way to it hangs.`,
    details: { store: store.id, key },
  });
}
