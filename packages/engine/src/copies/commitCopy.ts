import { summaryName } from '../archive';
import { BackupStore } from '../store';
import { writeSmallFile } from './smallFile';

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
  await writeSmallFile(store, beside, summary);
  await store.lock?.(beside);
  return store.lock?.(key);
}
