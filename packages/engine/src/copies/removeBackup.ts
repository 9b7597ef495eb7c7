import { summaryName } from '../archive';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { BackupStore } from '../store';
import { holdName } from './holds';
import { onEach, openCopies, StoreToOpen } from './makeCopies';

/**
 * Removes a backup from all stores that have a copy, or from none of them: a copy that stayed would be copied again.
 * The summary goes first, so that what is left by a process that died is no backup any more. To remove what is partly
 * removed is no error.
 *
 * @throws ClusterBackupError `backup-held`; `backup-locked`, with `until` in its details, when a store keeps a copy until
 * then, `backup-not-removable` when a store did not answer: all are as they were; `backup-not-removed` when a store has it
 * still, and others may not
 * @public
 */
export async function removeBackup(options: {
  stores: StoreToOpen[];
  /** The archive's. */
  key: string;
}): Promise<void> {
  const { stores, key } = options;
  const opened = await openCopies(stores);
  const held: string[] = [];
  const locks: Date[] = [];
  const looked = await onEach(opened, async store => {
    if (await store.head(holdName(key))) held.push(store.id);
    const until = await lockedUntil(store, key);
    if (until) locks.push(until);
  });
  refuseFailed('backup-not-removable', key, looked, NOTHING_CHANGED);
  if (held.length) throw backupHeld(key, held);
  if (locks.length) throw backupLocked(key, locks);
  const removed = await onEach(opened, async store => {
    await store.remove(summaryName(key));
    await store.remove(key);
  });
  const state = 'It may be gone from other stores already.';
  refuseFailed('backup-not-removed', key, removed, state);
}

async function lockedUntil(
  store: BackupStore,
  key: string,
): Promise<Date | undefined> {
  let last: Date | undefined;
  for (const name of [key, summaryName(key)]) {
    const until = (await store.head(name))?.lockedUntil;
    if (until && until.getTime() > Math.max(Date.now(), Number(last ?? 0))) {
      last = until;
    }
  }
  return last;
}

function refuseFailed(
  code: string,
  key: string,
  copies: Awaited<ReturnType<typeof onEach>>,
  state: string,
) {
  const failed = copies.flatMap(({ id, problem }) =>
    problem ? [{ id, problem }] : [],
  );
  if (!failed.length) return;
  throw new ClusterBackupError({
    code,
    message: `${key} was not removed. ${failed
      .map(({ id, problem }) => `${id}: ${problem.message}`)
      .join(' ')}`,
    state,
    remedy: failed
      .map(({ id, problem }) => `${id}: ${problem.remedy}`)
      .join(' '),
    details: Object.fromEntries(
      failed.map(({ id, problem }) => [id, problem.code]),
    ),
  });
}

function backupHeld(key: string, stores: string[]) {
  return new ClusterBackupError({
    code: 'backup-held',
    message: `Somebody wants ${key} kept: its hold is in ${stores.join(', ')}.`,
    state: NOTHING_CHANGED,
    remedy: 'Release it first.',
    details: { key },
  });
}

function backupLocked(key: string, locks: Date[]) {
  const until = new Date(Math.max(...locks.map(Number))).toISOString();
  return new ClusterBackupError({
    code: 'backup-locked',
    message: `${key} is kept until ${until}: a store lets nobody remove it before.`,
    state: NOTHING_CHANGED,
    remedy: 'Wait until then. The lock is what it was asked for.',
    details: { key, until },
  });
}
