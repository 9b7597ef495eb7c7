import { createHash } from 'node:crypto';
import { summaryName } from '../archive';
import { ClusterBackupError } from '../errors';
import { BackupStore } from '../store';
import { Digest, readBack } from './readBack';

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

/**
 * Makes a proven archive a backup, by its summary, which is read back too. Where the store is configured to, nobody can
 * remove either from then on.
 *
 * @returns until when it is locked
 * @throws ClusterBackupError `copy-damaged`, and what the store throws
 */
export async function commitCopy(
  store: BackupStore,
  key: string,
  summary: Buffer,
): Promise<Date | undefined> {
  const beside = summaryName(key);
  await store.put(beside, only(summary));
  const sha256 = createHash('sha256').update(summary).digest('hex');
  await proveWritten(store, beside, { size: summary.length, sha256 });
  await store.lock?.(beside);
  return store.lock?.(key);
}

async function* only(bytes: Buffer) {
  yield bytes;
}
