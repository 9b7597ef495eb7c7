import zlib from 'node:zlib';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  archiveAltered,
  archiveNotOurs,
  archiveTruncated,
} from './archiveErrors';
import { BlockPool, blocksOf, PACKED_BLOCK } from './blocks';
import { ByteReader } from './byteReader';

/** RFC 8878. */
export const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** The content is one segment of a size that stands in the header, with a checksum after it, without a dictionary. */
const DESCRIPTOR = 0b0010_0100;
const DESCRIPTOR_MASK = 0b0011_1111;
/** How many bytes the content's size has, by the descriptor's first two bits. */
const SIZE_LENGTHS = [1, 2, 4, 8];
const CHECKSUM = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;
/** No frame takes more memory than this, whoever wrote it; ours have an eighth of it in them. */
export const MAX_FRAME = 8 * PACKED_BLOCK;
/** A block of the content has up to 128 KiB; there may be empty ones. */
const MAX_PACKED_FRAME = MAX_FRAME + MAX_FRAME / 64;
/** Frames on the thread pool at once. */
const IN_FLIGHT = 3;

/**
 * Compresses into frames of their own, several at a time on libuv's thread pool; one after the other they are what
 * `zstd` takes for one file. Blocks of `pool` are given back to it.
 *
 * @throws ClusterBackupError `compression-unsupported`
 */
export async function* zstd(
  source: AsyncIterable<Uint8Array>,
  level: number,
  pool = new BlockPool(PACKED_BLOCK),
): AsyncGenerator<Buffer, void, undefined> {
  refuseUnsupported();
  async function* blocks() {
    for await (const block of blocksOf(source, PACKED_BLOCK, pool)) {
      for (let at = 0; at < block.length; at += PACKED_BLOCK) {
        yield block.subarray(at, at + PACKED_BLOCK);
      }
    }
  }
  yield* severalAtOnce(blocks(), async block => {
    const packed = await compressFrame(block, level);
    pool.give(block);
    return packed;
  });
}

/** The inverse: everything `source` gives must be frames as {@link zstd} writes them, to its last byte. */
export async function* unzstd(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  refuseUnsupported();
  yield* severalAtOnce(framesOf(new ByteReader(source)), decompressFrame);
}

/** @throws ClusterBackupError `compression-unsupported` where this Node.js has no zstd */
export function refuseUnsupported() {
  if (typeof zlib.zstdCompress === 'function') {
    return;
  }
  throw new ClusterBackupError({
    code: 'compression-unsupported',
    message: `Node.js ${process.version} has no zstd.`,
    state: NOTHING_CHANGED,
    remedy:
      'Use Node.js 22.15 or newer, or 24; or, to take backups, set compression to gzip.',
  });
}

/** Gives what `work` makes of each item, in their order, with a few under way. */
async function* severalAtOnce<T>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  const running: Array<Promise<Buffer>> = [];
  try {
    for await (const item of items) {
      if (running.length === IN_FLIGHT) {
        yield await running.shift()!;
      }
      const result = work(item);
      // Awaited in turn; an earlier one's failure must not leave this one's unhandled.
      result.catch(() => {});
      running.push(result);
    }
    while (running.length > 0) {
      yield await running.shift()!;
    }
  } finally {
    await Promise.allSettled(running);
  }
}

interface Frame {
  bytes: Buffer;
  contentSize: number;
}

async function* framesOf(
  bytes: ByteReader,
): AsyncGenerator<Frame, void, undefined> {
  try {
    for (let first = true; ; first = false) {
      const magic = await bytes.take(ZSTD_MAGIC.length);
      if (magic.length === 0 && !first) {
        return;
      }
      if (!ZSTD_MAGIC.subarray(0, magic.length).equals(magic)) {
        throw archiveAltered('There is something between the zstd frames.');
      }
      yield await frameAfterMagic(bytes, first);
    }
  } finally {
    bytes.close();
  }
}

async function frameAfterMagic(
  bytes: ByteReader,
  first: boolean,
): Promise<Frame> {
  const parts = [ZSTD_MAGIC];
  let packed = 0;
  const take = async (size: number) => {
    const part = Buffer.from(await bytes.take(size));
    if (part.length < size) {
      throw archiveTruncated('The zstd data in the archive ends too early.');
    }
    packed += size;
    parts.push(part);
    return part;
  };
  const [descriptor] = await take(1);
  if ((descriptor & DESCRIPTOR_MASK) !== DESCRIPTOR) {
    throw first
      ? archiveNotOurs(
          'This is zstd as `zstd` and others write it, but not as this program does.',
        )
      : archiveAltered('A zstd frame is not as archives have them.');
  }
  const sizeBytes = await take(SIZE_LENGTHS[descriptor >> 6]);
  const contentSize = contentSizeIn(sizeBytes);
  if (contentSize < 1 || contentSize > MAX_FRAME) {
    throw archiveAltered(
      `A zstd frame holds ${contentSize} bytes, not 1 to ${MAX_FRAME}.`,
    );
  }
  for (let last = false; !last; ) {
    const header = (await take(3)).readUIntLE(0, 3);
    const type = (header >> 1) & 3;
    last = (header & 1) === 1;
    const size = type === RLE_BLOCK ? 1 : header >> 3;
    if (type === RESERVED_BLOCK || packed + size > MAX_PACKED_FRAME) {
      throw archiveAltered('A zstd frame in the archive is damaged.');
    }
    await take(size);
  }
  await take(CHECKSUM);
  return { bytes: Buffer.concat(parts), contentSize };
}

/** RFC 8878: of two bytes it is 256 more than they say. */
function contentSizeIn(bytes: Buffer): number {
  switch (bytes.length) {
    case 2:
      return bytes.readUInt16LE() + 256;
    case 8:
      return Number(bytes.readBigUInt64LE());
    default:
      return bytes.readUIntLE(0, bytes.length);
  }
}

function compressFrame(block: Buffer, level: number): Promise<Buffer> {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_c_windowLog } =
    zlib.constants;
  return new Promise((resolve, reject) =>
    zlib.zstdCompress(
      block,
      {
        params: {
          [ZSTD_c_compressionLevel]: level,
          [ZSTD_c_checksumFlag]: 1,
          // As wide as a block, so that it is one segment at every level.
          [ZSTD_c_windowLog]: Math.log2(PACKED_BLOCK),
        },
        pledgedSrcSize: block.length,
        chunkSize: PACKED_BLOCK / 4,
      },
      (error, result) => (error ? reject(error) : resolve(result)),
    ),
  );
}

function decompressFrame({ bytes, contentSize }: Frame): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    zlib.zstdDecompress(
      bytes,
      // One byte more, or the engine asks for another buffer before it sees the end.
      { maxOutputLength: contentSize, chunkSize: contentSize + 64 },
      (error, result) => {
        if (!error && result.length === contentSize) {
          resolve(result);
          return;
        }
        const { code } = (error ?? {}) as NodeJS.ErrnoException;
        reject(
          archiveAltered(
            'The compressed data in the archive does not unpack.',
            { code },
            error,
          ),
        );
      },
    ),
  );
}
