import {
  ArchiveSummary,
  parseArchiveName,
  summaryName,
  verifySummary,
} from '../archive';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { BackupStore } from '../store';
import { readSmallFile } from './smallFile';

/** Nothing that is larger is a summary; verifying it says so. */
const MOST = 17 * 1024 * 1024;

/**
 * Reads the summary of an archive from a store, and proves that it is signed, by whom one trusts, and belongs to that
 * name: an older backup under a newer one's name is refused.
 *
 * @throws ClusterBackupError `summary-misplaced`, those of {@link verifySummary}, and what the store throws
 * @public
 */
export async function readSummary(
  store: BackupStore,
  key: string,
  trustedSigners: string[] | undefined,
  signal?: AbortSignal,
): Promise<{ summary: ArchiveSummary; bytes: Buffer }> {
  const bytes = await readSmallFile(store, summaryName(key), MOST, signal);
  const summary = verifySummary(bytes, trustedSigners);
  refuseMisplaced(`store ${store.id}`, key, summary);
  return { summary, bytes };
}

/**
 * Refuses a backup that lies under another one's name.
 *
 * @param where - `store NAME`, or what else it lies in
 * @throws ClusterBackupError `summary-misplaced`
 * @public
 */
export function refuseMisplaced(
  where: string,
  key: string,
  { description }: ArchiveSummary,
) {
  const { cluster, createdAt, name } = description;
  const file = key.split('/').at(-1)!;
  if (name === file) return;
  const named = name === undefined ? parseArchiveName(file) : undefined;
  const at = Math.floor(Date.parse(createdAt) / 1000) * 1000;
  if (named?.cluster === cluster.name && named.at.getTime() === at) return;
  throw new ClusterBackupError({
    code: 'summary-misplaced',
    message: `In ${where}, ${key} is in truth the backup of ${cluster.name} from ${createdAt}: it lies under another one's name.`,
    state: NOTHING_CHANGED,
    remedy: `Find out who may write to ${where}, and put the file back under its own name. Restore another backup meanwhile.`,
    details: { where, key, cluster: cluster.name, createdAt },
  });
}
