import { archiveNotOurs } from './archiveErrors';
import { BlockPool } from './blocks';
import { ByteReader } from './byteReader';
import { gunzip, gzip } from './gzip';
import { refuseUnsupported, unzstd, zstd, ZSTD_MAGIC } from './zstd';

/** How an archive is compressed. zstd is smaller and faster, gzip opens on older machines. @public */
export type Compression = 'gzip' | 'zstd';

/** Measured: levels above bring little for their time. */
const DEFAULT_LEVEL = { gzip: 1, zstd: 3 };
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** What compresses. @throws ClusterBackupError `compression-unsupported` */
export function compressor(
  compression: Compression,
  level = DEFAULT_LEVEL[compression],
): (
  source: AsyncIterable<Uint8Array>,
  pool: BlockPool,
) => AsyncGenerator<Buffer, void, undefined> {
  if (compression === 'zstd') {
    refuseUnsupported();
    return (source, pool) => zstd(source, level, pool);
  }
  return (source, pool) => gzip(source, level, pool);
}

/** How what begins with these four bytes is compressed, if it is. */
export function compressionOf(start: Buffer): Compression | undefined {
  if (start.subarray(0, GZIP_MAGIC.length).equals(GZIP_MAGIC)) {
    return 'gzip';
  }
  return start.equals(ZSTD_MAGIC) ? 'zstd' : undefined;
}

/** Unpacks whichever it is, to its last byte. */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new ByteReader(source);
  try {
    const compression = compressionOf(await bytes.peek(ZSTD_MAGIC.length));
    if (!compression) {
      throw archiveNotOurs(
        'What is encrypted in this file is neither gzip nor zstd.',
      );
    }
    const unpack = compression === 'gzip' ? gunzip : unzstd;
    yield* unpack(bytes.rest());
  } finally {
    bytes.close();
  }
}
