import { createHash } from 'node:crypto';
import { BackupStore } from '../store';
import { proveWritten } from './readBack';

/** Reads a file that is small; of one that has more than `most` bytes no more is read than shows that. */
export async function readSmallFile(
  store: BackupStore,
  key: string,
  most: number,
  signal?: AbortSignal,
): Promise<Buffer> {
  const source = await store.get(key, { signal });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > most) break;
    }
  } finally {
    source.destroy();
  }
  return Buffer.concat(chunks);
}

/**
 * Writes a file beside an archive, and reads it back.
 *
 * @throws ClusterBackupError `copy-damaged`, and what the store throws
 */
export async function writeSmallFile(
  store: BackupStore,
  key: string,
  bytes: Buffer,
): Promise<void> {
  await store.put(key, only(bytes));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await proveWritten(store, key, { size: bytes.length, sha256 });
}

async function* only(bytes: Buffer) {
  yield bytes;
}
