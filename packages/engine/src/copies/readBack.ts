import { createHash } from 'node:crypto';
import { abortable } from '../abortable';
import { ClusterBackupError } from '../errors';
import { BackupStore } from '../store';

/** What a file should be; `sha256` in hex. */
export interface Digest {
  size: number;
  sha256: string;
}

/**
 * Reads a file from a store, from its first byte to its last.
 *
 * @throws ClusterBackupError `copy-damaged` when it is not what it should be, and what the store throws
 */
export async function readBack(
  store: BackupStore,
  key: string,
  expected: Digest,
  signal?: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of abortable(
    await store.get(key, { signal }),
    signal,
  )) {
    hash.update(chunk);
    size += chunk.length;
  }
  refuseOther(store, key, expected, { size, sha256: hash.digest('hex') });
}

/**
 * Reads back what was just written; what is damaged is removed again.
 *
 * @throws ClusterBackupError `copy-damaged`, and what the store throws
 */
export async function proveWritten(
  store: BackupStore,
  key: string,
  expected: Digest,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await readBack(store, key, expected, signal);
  } catch (error) {
    if ((error as ClusterBackupError).code === 'copy-damaged') {
      // What cannot be removed is found damaged whenever it is read.
      await store.remove(key).catch(() => {});
    }
    throw error;
  }
}

/** @throws ClusterBackupError `copy-damaged` */
export function refuseOther(
  store: BackupStore,
  key: string,
  expected: Digest,
  found: Digest,
) {
  const isSameSize = found.size === expected.size;
  if (isSameSize && found.sha256 === expected.sha256) return;
  const difference = isSameSize
    ? `other bytes than were signed (SHA-256 ${found.sha256}, not ${expected.sha256})`
    : `${found.size} bytes where ${expected.size} were signed`;
  throw new ClusterBackupError({
    code: 'copy-damaged',
    message: `Store ${store.id} gives, for ${key}, ${difference}.`,
    state:
      'This copy cannot be restored. Copies in other stores are not affected.',
    remedy: `Find out what happened to store ${store.id}: its disk, or who may write there. Restore from another copy, or take a backup.`,
    details: { store: store.id, key, expected, found },
  });
}
