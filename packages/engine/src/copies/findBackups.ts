import { parseArchiveName, summaryName } from '../archive';
import { BackupStore, StoredFile } from '../store';

/** An archive that lies in a store, and whether a summary beside it makes it a backup. @public */
export interface FoundArchive extends StoredFile {
  hasSummary: boolean;
}

/**
 * Archives in a store whose keys begin with a prefix, in no particular order. Only what has an archive's name counts.
 *
 * @public
 */
export async function* findArchives(
  store: BackupStore,
  prefix: string,
): AsyncGenerator<FoundArchive> {
  const archives = new Map<string, StoredFile>();
  const summaries = new Set<string>();
  const suffix = summaryName('');
  for await (const file of store.list(prefix)) {
    if (file.key.endsWith(suffix)) summaries.add(file.key);
    else if (isArchive(file.key)) archives.set(file.key, file);
  }
  for (const file of archives.values()) {
    yield { ...file, hasSummary: summaries.has(summaryName(file.key)) };
  }
}

/**
 * Removes what writers that died left in a store: half-written files, and archives that never got their summary.
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
  for await (const { key, modifiedAt, hasSummary } of findArchives(store, '')) {
    if (hasSummary || modifiedAt >= before) continue;
    // It may have got one since the list was made.
    if (await store.head(summaryName(key))) continue;
    await store.remove(key);
    removed.push(key);
  }
  return removed;
}

function isArchive(key: string): boolean {
  return parseArchiveName(key.split('/').at(-1)!) !== undefined;
}
