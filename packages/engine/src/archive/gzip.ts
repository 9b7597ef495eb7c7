import { crc32, createInflateRaw, constants, deflateRaw } from 'node:zlib';
import {
  archiveAltered,
  archiveNotOurs,
  archiveTruncated,
} from './archiveErrors';
import { drainedOrClosed } from './backPressure';
import { BlockPool, blocksOf, PACKED_BLOCK } from './blocks';
import { ByteReader } from './byteReader';

/** How far back deflate can refer: what a block needs of the one before it to compress as if they were one. */
const WINDOW = 32 * 1024;
/** Blocks on the thread pool at once. One more than most machines' free cores; the pool itself has four threads. */
const IN_FLIGHT = 3;

/** Measured: at 64 KiB unpacking takes twice the time. */
const GUNZIP_CHUNK = 512 * 1024;

/** RFC 1952: no name, no time, unknown system. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** Checksum and size. */
const TRAILER = 8;
/** An empty final block with fixed codes: blocks before it end on byte boundaries and none needs to know it is the last. */
const LAST_BLOCK = Buffer.from([0x03, 0x00]);

/**
 * Compresses into one gzip member, several blocks at a time on libuv's thread pool. Each block starts from the last
 * 32 KiB of the one before it, so the size is that of a single run within a fraction of a percent. Blocks of `pool`,
 * which are of `PACKED_BLOCK` bytes, are given back to it.
 */
export async function* gzip(
  source: AsyncIterable<Uint8Array>,
  level: number,
  pool = new BlockPool(PACKED_BLOCK),
): AsyncGenerator<Buffer, void, undefined> {
  yield HEADER;
  const running: Array<{ block: Buffer; compressed: Promise<Buffer> }> = [];
  let room = PACKED_BLOCK / 4;
  /** Compressed, but still the dictionary of the oldest that runs. */
  let before: Buffer | undefined;
  async function oldest() {
    const { block, compressed } = running.shift()!;
    const result = await compressed;
    room = Math.ceil(result.length * 1.25) + 1024;
    if (before) {
      pool.give(before);
    }
    before = block;
    return result;
  }

  let dictionary: Buffer | undefined;
  let crc = 0;
  let size = 0;
  try {
    for await (const block of blocksOf(source, PACKED_BLOCK, pool)) {
      if (running.length === IN_FLIGHT) {
        yield await oldest();
      }
      running.push({
        block,
        compressed: deflateBlock(block, level, dictionary, room),
      });
      // A block shorter than the window is followed by less than it could be: rare, and at the seams only.
      dictionary = block.subarray(Math.max(0, block.length - WINDOW));
      crc = crc32(block, crc);
      size += block.length;
    }
    while (running.length > 0) {
      yield await oldest();
    }
  } finally {
    await Promise.allSettled(running.map(({ compressed }) => compressed));
  }
  yield Buffer.concat([LAST_BLOCK, trailerOf(crc, size)]);
}

function deflateBlock(
  block: Buffer,
  level: number,
  dictionary: Buffer | undefined,
  room: number,
): Promise<Buffer> {
  const compressed = new Promise<Buffer>((resolve, reject) =>
    deflateRaw(
      block,
      {
        level,
        memLevel: 9,
        dictionary,
        finishFlush: constants.Z_SYNC_FLUSH,
        // As a rule the result is one piece, and memory that it does not need would be garbage all the same.
        chunkSize: room,
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    ),
  );
  // Awaited in turn; an earlier block's failure must not leave this one's unhandled.
  compressed.catch(() => {});
  return compressed;
}

/** The inverse: everything `source` gives must be what {@link gzip} writes, to its last byte. */
export async function* gunzip(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new ByteReader(source);
  const engine = createInflateRaw({ chunkSize: GUNZIP_CHUNK });
  let stopped = false;
  let fed = 0;
  let trailer = Buffer.alloc(0);
  let sourceFailed = false;
  async function feed(body: Buffer) {
    fed += body.length;
    // Past the end of the data the rest is only counted: it must be read, because its own end is proven there.
    if (body.length > 0 && !engine.destroyed && !engine.write(body)) {
      await drainedOrClosed(engine);
    }
  }
  const feeding = (async () => {
    if (!(await bytes.take(HEADER.length)).equals(HEADER)) {
      throw archiveNotOurs(
        'This is gzip as `bmctl backup cluster`, `tar cz` and others write it, but not as this program does.',
      );
    }
    for await (const chunk of bytes.rest()) {
      if (stopped) {
        return;
      }
      // Whatever comes last is the trailer.
      const kept = Math.min(TRAILER, chunk.length);
      const released = Math.max(0, trailer.length + kept - TRAILER);
      await feed(trailer.subarray(0, released));
      await feed(chunk.subarray(0, chunk.length - kept));
      trailer = Buffer.concat([
        trailer.subarray(released),
        chunk.subarray(chunk.length - kept),
      ]);
    }
    engine.end();
  })().catch(error => {
    sourceFailed = true;
    engine.destroy(error);
    throw error;
  });
  feeding.catch(() => {});

  let crc = 0;
  let size = 0;
  try {
    for await (const chunk of engine) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      yield chunk;
    }
    await feeding;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (sourceFailed || !(code.startsWith('Z_') || code.startsWith('ERR_'))) {
      throw error;
    }
    if (code === 'Z_BUF_ERROR') {
      throw archiveTruncated(
        'The compressed data in the archive ends too early, or was altered.',
        error,
      );
    }
    throw archiveAltered(
      'The compressed data in the archive does not unpack.',
      { code },
      error,
    );
  } finally {
    stopped = true;
    engine.destroy();
  }
  if (engine.bytesWritten !== fed) {
    throw archiveAltered('There are bytes after the end of the gzip data.', {
      bytes: fed - engine.bytesWritten,
    });
  }
  if (!trailer.equals(trailerOf(crc, size))) {
    throw archiveAltered(
      'The compressed data in the archive is not what its checksum says.',
    );
  }
}

function trailerOf(crc: number, size: number): Buffer {
  const trailer = Buffer.alloc(TRAILER);
  trailer.writeUInt32LE(crc, 0);
  // RFC 1952: the size modulo 2^32.
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  return trailer;
}
