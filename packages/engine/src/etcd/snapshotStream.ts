import { createHash } from 'node:crypto';
import { ClientReadableStream, StatusObject } from '@grpc/grpc-js';
import { ISnapshotResponse } from 'etcd3';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { SnapshotFacts, SnapshotStream } from './EtcdMember';
import { createRevisionFinder } from './snapshotRevision';

/** SHA-256 of all that comes before it. */
const TRAILER = 32;
/** Messages of 32 KiB are put together to blocks of this size; a multiple of 64 KiB. */
const BLOCK = 512 << 10;
/** A member that sends nothing for so long, while the reader waits, is taken for dead. */
const STALL_MS = 10_000;
/** bbolt grows its file by whole pages. */
const PAGE_UNIT = 512;

interface Source {
  member: string;
  machine: string;
  call: ClientReadableStream<ISnapshotResponse>;
  /** Makes a readable error of what the call failed with. */
  explain(error: unknown): ClusterBackupError;
}

/** Ends when the call gave its final status; gRPC tells it after the last message. */
function finalStatus(call: Source['call']): Promise<StatusObject> {
  return new Promise(resolve => {
    call.once('status', resolve);
  });
}

/**
 * Makes a checked stream of a `Maintenance.Snapshot` call: the size is known before the first byte, and the stream
 * ends well only when the count of bytes, the trailer's hash and the status of the call say that it is whole.
 */
export async function openSnapshotStream(
  source: Source,
  signal: AbortSignal,
): Promise<SnapshotStream> {
  const { call, member, machine, explain } = source;
  const failed = (code: string, message: string, details = {}) =>
    new ClusterBackupError({
      code,
      message: `The snapshot of etcd member ${member} on ${machine} ${message}.`,
      state: `${NOTHING_CHANGED} The backup was not stored.`,
      remedy:
        'Try again. When it fails again, check the etcd container and the network path to the machine.',
      details: { member, machine, ...details },
    });

  // The first reason counts: ending the call makes further errors of its own.
  let reason: Error | undefined;
  const abandon = (error: Error) => {
    reason ??= error;
    call.cancel();
    call.destroy();
  };
  const aborted = () => abandon(signal.reason);
  let waitingSince = 0;
  let size = 0;
  let received = 0;
  const watchdog = setInterval(() => {
    if (waitingSince && performance.now() - waitingSince > STALL_MS) {
      abandon(
        failed(
          'etcd-snapshot-stalled',
          `came to a stop: nothing for ${STALL_MS / 1000} s after ${received} ${
            size ? `of ${size} ` : ''
          }bytes`,
          { received, size },
        ),
      );
    }
  }, 1000);
  const release = () => {
    clearInterval(watchdog);
    signal.removeEventListener('abort', aborted);
    call.on('error', () => {});
    call.cancel();
    call.destroy();
  };
  signal.addEventListener('abort', aborted, { once: true });

  const status = finalStatus(call);
  const messages = call[Symbol.asyncIterator]() as AsyncIterator<
    ISnapshotResponse,
    undefined
  >;
  const next = async () => {
    waitingSince = performance.now();
    try {
      const result = await messages.next();
      return result.done ? undefined : result.value;
    } catch (error) {
      throw reason ?? explain(error);
    } finally {
      waitingSince = 0;
    }
  };

  let first: ISnapshotResponse | undefined;
  try {
    signal.throwIfAborted();
    first = await next();
    if (!first) {
      throw failed('etcd-snapshot-cut', 'ended before its first byte');
    }
    size = first.blob.length + Number(first.remaining_bytes);
    if (size % PAGE_UNIT === 0) {
      size += TRAILER;
    } else if (size % PAGE_UNIT !== TRAILER) {
      throw failed(
        'etcd-snapshot-corrupt',
        `is announced with ${size} bytes, which is no whole number of pages`,
        { size },
      );
    }
  } catch (error) {
    release();
    throw error;
  }

  let settle!: (facts: SnapshotFacts) => void;
  let reject!: (error: Error) => void;
  const facts = new Promise<SnapshotFacts>((resolve, no) => {
    settle = resolve;
    reject = no;
  });
  facts.catch(() => {});

  async function* checkedBlocks(): AsyncGenerator<Buffer> {
    const dataSize = size - TRAILER;
    const hash = createHash('sha256');
    const finder = createRevisionFinder();
    const trailer = Buffer.alloc(TRAILER);
    let block = Buffer.allocUnsafeSlow(BLOCK);
    let filled = 0;
    let message = first;
    first = undefined;
    for (; message; message = await next()) {
      const { blob } = message;
      if (received + blob.length > size) {
        throw failed('etcd-snapshot-corrupt', `is longer than ${size} bytes`);
      }
      let from = 0;
      while (from < blob.length && received < dataSize) {
        const part = Math.min(
          blob.length - from,
          BLOCK - filled,
          dataSize - received,
        );
        blob.copy(block, filled, from, from + part);
        from += part;
        filled += part;
        received += part;
        if (filled === BLOCK || received === dataSize) {
          const full = block.subarray(0, filled);
          hash.update(full);
          finder.update(full);
          block = Buffer.allocUnsafeSlow(BLOCK);
          filled = 0;
          yield full;
        }
      }
      if (from < blob.length) {
        blob.copy(trailer, received - dataSize, from);
        received += blob.length - from;
      }
    }
    if (received !== size) {
      throw failed(
        'etcd-snapshot-cut',
        `ended after ${received} of ${size} bytes`,
        { received, size },
      );
    }
    const { code, details } = await status;
    if (code !== 0) {
      throw reason ?? explain(new Error(`${code}: ${details}`));
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
    const sha256 = hash.update(trailer).digest('hex');
    yield trailer;
    settle({ sha256, revision });
  }

  async function* stream(): AsyncGenerator<Buffer> {
    try {
      yield* checkedBlocks();
    } catch (error) {
      reject(error as Error);
      throw error;
    } finally {
      release();
      reject(failed('etcd-snapshot-cut', 'was not read to its end'));
    }
  }
  return { size, stream: stream(), facts };
}
