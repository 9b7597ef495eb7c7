import { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { abortable } from '../abortable';

const BATCH = 1024 * 1024;
/** Written back in the background each time, so that the last flush has little left to do. */
const FLUSH_EVERY = 32 * 1024 * 1024;

/**
 * A source that a store reads: tells its own failures from the store's, and is told of the store's.
 *
 * @public
 */
export class Reading {
  failure?: { error: unknown };
  private readonly source: AsyncIterable<Uint8Array>;
  private readonly chunks: AsyncGenerator<Uint8Array, void, undefined>;

  constructor(
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ) {
    this.source = source;
    this.chunks = abortable(source, signal);
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      const { value } = await this.chunks.next();
      return value ?? undefined;
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  /** A stream learns why, so that whoever fills it reports this and not a broken pipe. */
  end(problem: unknown) {
    if (this.source instanceof Readable) {
      this.source.destroy(problem as Error);
    }
    this.chunks.return();
  }
}

/** Writes in large pieces; an earlier flush that failed is reported as soon as it is known. */
export async function writeAll(
  file: FileHandle,
  reading: Reading,
  onWritten: (bytes: number) => void,
): Promise<void> {
  let batch: Uint8Array[] = [];
  let batched = 0;
  let unflushed = 0;
  let flushing: Promise<void> = Promise.resolve();
  let flushFailure: { error: unknown } | undefined;
  let flushRuns = false;

  async function writeBatch() {
    for (const piece of batch) {
      for (let offset = 0; offset < piece.length; ) {
        const { bytesWritten } = await file.write(piece, offset);
        offset += bytesWritten;
        onWritten(bytesWritten);
      }
    }
    unflushed += batched;
    batch = [];
    batched = 0;
    if (flushFailure) {
      throw flushFailure.error;
    }
    if (unflushed >= FLUSH_EVERY && !flushRuns) {
      unflushed = 0;
      flushRuns = true;
      flushing = file
        .datasync()
        .catch(error => {
          flushFailure = { error };
        })
        .finally(() => {
          flushRuns = false;
        });
    }
  }

  try {
    for (;;) {
      const chunk = await reading.next();
      if (!chunk) {
        break;
      }
      batch.push(chunk);
      batched += chunk.length;
      if (batched >= BATCH) {
        await writeBatch();
      }
    }
    await writeBatch();
  } finally {
    await flushing;
  }
  if (flushFailure) {
    throw (flushFailure as { error: unknown }).error;
  }
}
