import { ArchiveKeys, ArchiveSummary, readArchive } from '../archive';
import { BackupStore } from '../store';
import { readBack, refuseOther } from './readBack';
import { readSummary } from './readSummary';

/** How far a copy was looked into: its bytes against what was signed, or also all that is in it. @public */
export type Depth = 'bytes' | 'contents';

/**
 * Reads a copy whole. Without a key its bytes are compared with the signed summary; with one it is opened too, and its
 * structure, checksums, snapshot and signature are proven.
 *
 * @throws ClusterBackupError `copy-damaged`, those of {@link readSummary} and of reading an archive, and what the store
 * throws
 * @public
 */
export async function verifyCopy(options: {
  store: BackupStore;
  /** The archive's. */
  key: string;
  trustedSigners: string[];
  /** What opens it. */
  keys?: ArchiveKeys;
  signal?: AbortSignal;
}): Promise<{ summary: ArchiveSummary; depth: Depth }> {
  const { store, key, trustedSigners, keys, signal } = options;
  const { summary } = await readSummary(store, key, trustedSigners, signal);
  if (!keys) {
    await readBack(store, key, summary.ciphertext, signal);
    return { summary, depth: 'bytes' };
  }
  const source = await store.get(key, { signal });
  const proof = await readArchive(source, { ...keys, signal });
  refuseOther(store, key, summary.ciphertext, proof.ciphertext);
  return { summary, depth: 'contents' };
}
