import { ArchiveKeys, ArchiveSummary, readArchive } from '../archive';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { BackupStore } from '../store';
import { CopyInMaking, problemOf } from './makeCopies';
import { proveWritten, refuseOther } from './readBack';

/**
 * Opens one of the copies as a restore does. All have the same bytes, so one tells of all whether what was written can
 * be restored; a copy that gives other bytes now than when it was read back gets a problem, and the next is opened.
 *
 * @throws ClusterBackupError `archive-unsound` when the right bytes do not open
 */
export async function openOneCopy(
  copies: CopyInMaking[],
  key: string,
  summary: ArchiveSummary,
  options: { keys?: ArchiveKeys; signal: AbortSignal },
): Promise<CopyInMaking[]> {
  const left = [...copies];
  for (const [at, copy] of copies.entries()) {
    if (copy.problem) continue;
    const problem = await whyUnopened(copy.store, key, summary, options);
    if (!problem) break;
    left[at] = { id: copy.id, problem };
  }
  return left;
}

async function whyUnopened(
  store: BackupStore,
  key: string,
  { ciphertext }: ArchiveSummary,
  options: { keys?: ArchiveKeys; signal: AbortSignal },
): Promise<ClusterBackupError | undefined> {
  const { keys, signal } = options;
  try {
    const source = await store.get(key, { signal });
    const proof = await readArchive(source, { ...keys, signal });
    refuseOther(store, key, ciphertext, proof.ciphertext);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    // Of bytes that are damaged this says so, whatever they looked like when they were opened.
    try {
      await proveWritten(store, key, ciphertext, signal);
    } catch (damaged) {
      signal.throwIfAborted();
      return problemOf(store.id, damaged);
    }
    throw archiveUnsound(error as Error);
  }
}

function archiveUnsound(cause: Error) {
  return new ClusterBackupError({
    code: 'archive-unsound',
    message: `The archive is stored as it was written, and does not open: ${cause.message}`,
    state: `${NOTHING_CHANGED} No backup was stored.`,
    remedy:
      'Take the backup again. When this happens again, the memory or a processor of the machine that packs the archive may be broken.',
    cause,
  });
}
