import { archiveForm } from '../archive';
import {
  object,
  oneOf,
  parseJson,
  ShapeProblem,
  text,
} from '../archive/jsonShape';
import { ClusterBackupError } from '../errors';
import { BackupStore, StoredFile } from '../store';
import { Copy } from './Copy';
import {
  CopyInMaking,
  copyOf,
  onEach,
  openCopies,
  StoreToOpen,
} from './makeCopies';
import { readSmallFile, writeSmallFile } from './smallFile';

/** That a backup is to be kept, whatever a rule says. It lies beside the archive: `KEY.hold.json`. @public */
export interface Hold {
  /** Who wants it kept: an entity reference, or {@link UNKNOWN_HOLDER}. */
  by: string;
  /** Since when; ISO 8601. */
  at: string;
  reason: string;
}

/** A hold that lies in a store. @public */
export interface FoundHold {
  /** The archive's. */
  key: string;
  hold: Hold;
}

/** Whose a hold is that cannot be read: it holds all the same. @public */
export const UNKNOWN_HOLDER = 'unknown';

/** Larger than any hold. */
const MOST = 16 * 1024;
const SUFFIX = '.hold.json';

const holdShape = object({
  formatVersion: oneOf(1),
  by: text({ max: 500, pattern: /\S/, what: 'name' }),
  at: instant,
  reason: text({ max: 500, pattern: /\S/, what: 'reason' }),
});

export function holdName(archive: string): string {
  return `${archive}${SUFFIX}`;
}

/**
 * Writes a hold into every store that has a copy of a backup.
 *
 * @returns what came of it in each store; at least one took it
 * @throws ClusterBackupError `backup-held` when a store has one already, `hold-not-stored` when no store took it
 * @public
 */
export async function holdBackup(options: {
  stores: StoreToOpen[];
  /** The archive's. */
  key: string;
  hold: Hold;
}): Promise<Copy[]> {
  const { stores, key, hold } = options;
  const bytes = Buffer.from(
    `${JSON.stringify({ formatVersion: 1, ...hold }, null, 2)}\n`,
  );
  const opened = await openCopies(stores);
  refuseHeld(key, await findHold(opened, key));
  const held = await onEach(opened, async store => {
    if (!(await store.head(key))) throw copyMissing(store, key);
    await writeSmallFile(store, holdName(key), bytes);
  });
  if (held.every(({ problem }) => problem)) throw holdNotStored(key, held);
  return held.map(copyOf);
}

/**
 * Removes the hold of a backup from every store.
 *
 * @returns whether any of them had one
 * @throws ClusterBackupError `hold-not-released` when a store has it still, or did not say
 * @public
 */
export async function releaseBackup(options: {
  stores: StoreToOpen[];
  /** The archive's. */
  key: string;
}): Promise<boolean> {
  const { stores, key } = options;
  let wasHeld = false;
  const released = await onEach(await openCopies(stores), async store => {
    if (!(await store.head(holdName(key)))) return;
    await store.remove(holdName(key));
    wasHeld = true;
  });
  if (released.some(({ problem }) => problem)) {
    throw holdNotReleased(key, released);
  }
  return wasHeld;
}

/**
 * The holds in a store, in no particular order.
 *
 * @throws ClusterBackupError what the store throws when it cannot be listed
 * @public
 */
export async function* findHolds(
  store: BackupStore,
): AsyncGenerator<FoundHold> {
  for await (const file of store.list('')) {
    const key = archiveHeldBy(file.key);
    const hold = key && (await readHold(store, file));
    if (hold) yield { key, hold };
  }
}

/**
 * Of a backup that has one, nobody makes another.
 *
 * @throws ClusterBackupError `backup-held`
 * @public
 */
export function refuseHeld(key: string, hold: Hold | undefined) {
  if (!hold) return;
  throw new ClusterBackupError({
    code: 'backup-held',
    message: `${key} is kept already: by ${hold.by} since ${hold.at}, because: ${hold.reason}`,
    state: 'It is kept as it was.',
    remedy: 'To give another reason, release it first.',
    details: { key, ...hold },
  });
}

/** A new copy is kept where the one that it was made from is. */
export async function copyHold(
  from: BackupStore,
  to: BackupStore,
  key: string,
): Promise<void> {
  const beside = holdName(key);
  if (!(await from.head(beside)) || (await to.head(beside))) return;
  await writeSmallFile(to, beside, await readSmallFile(from, beside, MOST));
}

function archiveHeldBy(beside: string): string | undefined {
  if (!beside.endsWith(SUFFIX)) return undefined;
  const key = beside.slice(0, -SUFFIX.length);
  return archiveForm(key) && key;
}

/** In the first store that has one. What a store that does not answer has is found when it is written to. */
async function findHold(
  opened: CopyInMaking[],
  key: string,
): Promise<Hold | undefined> {
  const found = await Promise.all(
    opened.map(async copy => {
      if (copy.problem) return undefined;
      const { store } = copy;
      const file = await store.head(holdName(key)).catch(() => undefined);
      return file && readHold(store, file);
    }),
  );
  return found.find(hold => hold);
}

/** `undefined` when somebody released it meanwhile. */
async function readHold(
  store: BackupStore,
  file: StoredFile,
): Promise<Hold | undefined> {
  try {
    const bytes = await readSmallFile(store, file.key, MOST);
    if (bytes.length > MOST) {
      throw new ShapeProblem(`it has more than ${MOST} bytes`);
    }
    const { by, at, reason } = parseJson(bytes, holdShape);
    return { by, at, reason };
  } catch (error) {
    const { code, message } = error as ClusterBackupError;
    if (code === 'store-file-missing') return undefined;
    return {
      by: UNKNOWN_HOLDER,
      at: file.modifiedAt.toISOString(),
      reason: `What store ${store.id} has of its hold cannot be read: ${message}`,
    };
  }
}

function instant(value: unknown, where: string): string {
  const found = text({
    max: 24,
    pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
    what: 'time in UTC (2006-01-02T15:04:05.000Z)',
  })(value, where);
  if (Number.isNaN(Date.parse(found))) {
    throw new ShapeProblem(`${where} is no time`);
  }
  return found;
}

function copyMissing(store: BackupStore, key: string) {
  return new ClusterBackupError({
    code: 'copy-missing',
    message: `Store ${store.id} has no copy of ${key}.`,
    state: 'There is no hold in this store.',
    remedy:
      'Verify the backup: a copy that is made from another store gets its hold as well.',
    details: { store: store.id, key },
  });
}

function holdNotStored(key: string, copies: CopyInMaking[]) {
  return new ClusterBackupError({
    code: 'hold-not-stored',
    message: `No store took the hold of ${key}. ${whatOf(copies, 'message')}`,
    state: 'The backup is not kept: a rule may remove it.',
    remedy: whatOf(copies, 'remedy'),
    details: codesOf(copies),
  });
}

function holdNotReleased(key: string, copies: CopyInMaking[]) {
  const holding = copies.filter(({ problem }) => problem);
  return new ClusterBackupError({
    code: 'hold-not-released',
    message: `The hold of ${key} is not gone from ${holding
      .map(({ id }) => id)
      .join(', ')}. ${whatOf(holding, 'message')}`,
    state: 'The backup is kept until no store has its hold any more.',
    remedy: `${whatOf(holding, 'remedy')} Then release it again.`,
    details: codesOf(holding),
  });
}

function whatOf(copies: CopyInMaking[], part: 'message' | 'remedy'): string {
  return copies.map(({ id, problem }) => `${id}: ${problem?.[part]}`).join(' ');
}

function codesOf(copies: CopyInMaking[]) {
  return Object.fromEntries(
    copies.map(({ id, problem }) => [id, problem?.code]),
  );
}
