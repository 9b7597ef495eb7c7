import { createHash } from 'node:crypto';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { SnapshotFacts, SnapshotStream } from './EtcdMember';
import { SnapshotCall } from './snapshotCall';
import { SnapshotPart } from './snapshotParts';
import { createRevisionFinder } from './snapshotRevision';

/** SHA-256 of all that comes before it. */
const TRAILER = 32;
/** So many blocks may wait for the reader before the member is told to wait. */
const MAX_WAITING = 4;
/** A member that sends nothing for so long, while the reader waits, is taken for dead. */
const STALL_MS = 10_000;
/** bbolt grows its file by whole pages. */
const PAGE_UNIT = 512;

interface Source {
  member: string;
  machine: string;
  call: SnapshotCall;
  /** A buffer to put together what comes; its size is a multiple of 64 KiB. */
  takeBlock(): Buffer;
  /** Makes a readable error of what the call failed with. */
  explain(error: unknown): ClusterBackupError;
}

/**
 * Makes a checked stream of a `Maintenance.Snapshot` call: the size is known before the first byte, and the stream
 * ends well only when the count of bytes, the trailer's hash and the status of the call say that it is whole.
 */
export async function openSnapshotStream(
  source: Source,
  signal: AbortSignal,
): Promise<SnapshotStream> {
  const { call, member, machine, takeBlock, explain } = source;
  const failed = (code: string, message: string, details = {}) =>
    new ClusterBackupError({
      code,
      message: `The snapshot of etcd member ${member} on ${machine} ${message}.`,
      state: NOTHING_CHANGED,
      remedy:
        'Try again. When it fails again, check the etcd container and the network path to the machine.',
      details: { member, machine, ...details },
    });

  const hash = createHash('sha256');
  const finder = createRevisionFinder();
  const trailer = Buffer.alloc(TRAILER);
  const blocks: Buffer[] = [];
  let block = takeBlock();
  let filled = 0;
  let size: number | undefined;
  let dataSize = 0;
  let received = 0;
  let ended = false;
  let status: { code: number; details: string } | undefined;
  let failure: Error | undefined;

  // Events are used, not an iterator: it costs a promise and a turn of the loop for each few KiB.
  let wake = () => {};
  let waitingSince: number | undefined;
  const news = () =>
    new Promise<void>(resolve => {
      waitingSince = performance.now();
      wake = () => {
        waitingSince = undefined;
        resolve();
      };
    });
  const abandon = (error: Error) => {
    // The first reason counts: ending the call makes errors of its own.
    failure ??= error;
    call.cancel();
    wake();
  };

  function begin(first: SnapshotPart) {
    const announced = first.blob.length + first.remaining;
    if (announced % PAGE_UNIT !== 0 && announced % PAGE_UNIT !== TRAILER) {
      abandon(
        failed(
          'etcd-snapshot-corrupt',
          `is announced with ${announced} bytes, which is no whole number of pages`,
          { announced },
        ),
      );
      return;
    }
    size = announced % PAGE_UNIT === 0 ? announced + TRAILER : announced;
    dataSize = size - TRAILER;
  }

  function keep(blob: Buffer) {
    let from = 0;
    while (from < blob.length && received < dataSize) {
      const part = Math.min(
        blob.length - from,
        block.length - filled,
        dataSize - received,
      );
      blob.copy(block, filled, from, from + part);
      from += part;
      filled += part;
      received += part;
      if (filled === block.length || received === dataSize) {
        const full = block.subarray(0, filled);
        hash.update(full);
        finder.update(full);
        blocks.push(full);
        block = takeBlock();
        filled = 0;
      }
    }
    if (from < blob.length) {
      blob.copy(trailer, received - dataSize, from);
      received += blob.length - from;
    }
  }

  call.on('data', (part: SnapshotPart) => {
    if (failure) {
      return;
    }
    if (size === undefined) {
      begin(part);
    }
    if (size !== undefined && received + part.blob.length > size) {
      abandon(
        failed('etcd-snapshot-corrupt', `is longer than ${size} bytes`, {
          size,
        }),
      );
      return;
    }
    keep(part.blob);
    if (blocks.length >= MAX_WAITING) {
      call.pause();
    }
    wake();
  });
  call.on('error', error => {
    failure ??= explain(error);
    wake();
  });
  call.on('end', () => {
    ended = true;
    wake();
  });
  call.on('status', told => {
    status = told;
    wake();
  });

  const watchdog = setInterval(() => {
    if (
      waitingSince !== undefined &&
      performance.now() - waitingSince > STALL_MS
    ) {
      abandon(
        failed(
          'etcd-snapshot-stalled',
          `came to a stop: nothing for ${
            STALL_MS / 1000
          } s after ${received} of ${size ?? 'an unknown number of'} bytes`,
          { received, size },
        ),
      );
    }
  }, 1000);
  const aborted = () => abandon(signal.reason as Error);
  signal.addEventListener('abort', aborted, { once: true });
  const release = () => {
    clearInterval(watchdog);
    signal.removeEventListener('abort', aborted);
    failure ??= failed('etcd-snapshot-cut', 'was not read to its end');
    call.cancel();
    call.resume();
  };

  /** The facts, when all that came is a whole snapshot. */
  function judge(): SnapshotFacts {
    if (status?.code !== 0) {
      throw explain(new Error(`${status?.code}: ${status?.details}`));
    }
    if (received !== size) {
      throw failed(
        'etcd-snapshot-cut',
        `ended after ${received} of ${size ?? 0} bytes`,
        { received, size },
      );
    }
    if (!hash.copy().digest().equals(trailer)) {
      throw failed(
        'etcd-snapshot-corrupt',
        'does not have the SHA-256 that its last 32 bytes say',
        { size },
      );
    }
    const revision = finder.revision();
    if (revision === undefined) {
      throw failed(
        'etcd-snapshot-corrupt',
        'came over whole, but its pages make no readable database',
        { size },
      );
    }
    return { sha256: hash.update(trailer).digest('hex'), revision };
  }

  try {
    if (signal.aborted) {
      aborted();
    }
    while (size === undefined && !failure && !(ended && status)) {
      await news();
    }
    if (failure) {
      throw failure;
    }
    if (size === undefined) {
      judge();
    }
  } catch (error) {
    release();
    throw error;
  }

  let settle!: (facts: SnapshotFacts) => void;
  let reject!: (error: unknown) => void;
  const facts = new Promise<SnapshotFacts>((resolve, no) => {
    settle = resolve;
    reject = no;
  });
  facts.catch(() => {});

  async function* stream(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        if (failure) {
          throw failure;
        }
        const next = blocks.shift();
        if (next) {
          if (blocks.length < MAX_WAITING / 2 && call.isPaused()) {
            call.resume();
          }
          yield next;
        } else if (ended && status) {
          break;
        } else {
          await news();
        }
      }
      const found = judge();
      yield trailer;
      settle(found);
    } catch (error) {
      reject(error);
      throw error;
    } finally {
      release();
      reject(failure);
    }
  }
  return { size: size!, stream: stream(), facts };
}
