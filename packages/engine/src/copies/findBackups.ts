import {
  archiveForm,
  ArchiveSummary,
  parseArchiveName,
  readArchive,
  summaryName,
} from '../archive';
import { ClusterBackupError } from '../errors';
import { BackupStore, StoredFile } from '../store';
import { holdName } from './holds';
import { readSummary } from './readSummary';

/** An archive that lies in a store, and whether a summary beside it makes it a backup. @public */
export interface FoundArchive extends StoredFile {
  hasSummary: boolean;
  /** Whether a hold lies beside it. */
  isHeld: boolean;
}

/**
 * Archives in a store whose keys begin with a prefix, in no particular order: what has an archive's name, and of what
 * has a name that somebody chose those that have a summary. Without one nobody knows whose a file is.
 *
 * @public
 */
export async function* findArchives(
  store: BackupStore,
  prefix: string,
): AsyncGenerator<FoundArchive> {
  const archives = new Map<string, StoredFile>();
  const others = new Set<string>();
  for await (const file of store.list(prefix)) {
    if (archiveForm(file.key)) archives.set(file.key, file);
    else others.add(file.key);
  }
  for (const file of archives.values()) {
    const hasSummary = others.has(summaryName(file.key));
    if (!hasSummary && !namedBy(file.key)) continue;
    yield { ...file, hasSummary, isHeld: others.has(holdName(file.key)) };
  }
}

/** A backup that lies in a store. @public */
export interface FoundBackup {
  key: string;
  summary: ArchiveSummary;
}

/**
 * Backups in a store that nobody has a record of. What has no summary of somebody one trusts is passed over, and told.
 *
 * @public
 */
export async function findUnrecorded(options: {
  store: BackupStore;
  /** Keys of archives there is a record of. */
  recorded: string[];
  trustedSigners: string[];
  /** What is younger may be of somebody who is about to record it. */
  before: Date;
  passedOver: (key: string, error: ClusterBackupError) => void;
  signal?: AbortSignal;
}): Promise<FoundBackup[]> {
  const { store, trustedSigners, before, passedOver, signal } = options;
  const recorded = new Set(options.recorded);
  const found: FoundBackup[] = [];
  for await (const archive of findArchives(store, '')) {
    const { key, hasSummary, modifiedAt } = archive;
    if (!hasSummary || recorded.has(key) || modifiedAt >= before) continue;
    try {
      found.push({
        key,
        summary: (await readSummary(store, key, trustedSigners, signal))
          .summary,
      });
    } catch (error) {
      if (!(error instanceof ClusterBackupError)) throw error;
      passedOver(key, error);
    }
  }
  return found;
}

/**
 * Removes what writers that died left in a store: half-written files, and archives that never got their summary. What
 * has a hold stays.
 *
 * @param before - what was begun or written since then may still be under way
 * @returns the archives that were removed
 * @public
 */
export async function sweepStore(
  store: BackupStore,
  before: Date,
): Promise<string[]> {
  await store.sweep(before);
  const removed: string[] = [];
  for await (const archive of findArchives(store, '')) {
    const { key, modifiedAt, hasSummary, isHeld } = archive;
    if (hasSummary || isHeld || modifiedAt >= before) continue;
    // It may have got one since the list was made.
    if (await store.head(summaryName(key))) continue;
    if (await store.head(holdName(key))) continue;
    if (!(await isOurs(store, key))) continue;
    await store.remove(key);
    removed.push(key);
  }
  return removed;
}

function namedBy(key: string) {
  return parseArchiveName(key.split('/').at(-1)!);
}

/** Backups of bmctl have the name of archives that are not encrypted: those are looked into. */
async function isOurs(store: BackupStore, key: string): Promise<boolean> {
  if (namedBy(key)?.encrypted) return true;
  const enough = new Error('It has a description.');
  const source = await store.get(key);
  try {
    await readArchive(
      source,
      {},
      {
        description() {
          throw enough;
        },
      },
    );
    return true;
  } catch (error) {
    return error === enough;
  } finally {
    source.destroy();
  }
}
