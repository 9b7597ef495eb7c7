import { BackupStore } from '../store';
import { commitCopy } from './commitCopy';
import { Copy } from './Copy';
import { copyHold } from './holds';
import { proveWritten } from './readBack';
import { readSummary } from './readSummary';

/**
 * Makes the copy that a store lacks from another store's, and its hold with it. Needs no key: what was written is
 * compared with what was signed.
 *
 * @throws ClusterBackupError `copy-damaged`, those of {@link readSummary}, and what the stores throw
 * @public
 */
export async function copyBackup(options: {
  from: BackupStore;
  to: BackupStore;
  /** The archive's. */
  key: string;
  trustedSigners: string[];
  signal?: AbortSignal;
}): Promise<Copy> {
  const { from, to, key, trustedSigners, signal } = options;
  const { summary, bytes } = await readSummary(
    from,
    key,
    trustedSigners,
    signal,
  );
  // One that a killed copy left is read back as if it were new.
  if (!(await to.head(key))) {
    await to.put(key, await from.get(key, { signal }), { signal });
  }
  await proveWritten(to, key, summary.ciphertext, signal);
  await copyHold(from, to, key);
  return { store: to.id, lockedUntil: await commitCopy(to, key, bytes) };
}
