import { periodsIn } from './periods';
import { RetainableBackup } from './RetainableBackup';
import { RetentionRule } from './RetentionRule';
import { Keeper, RetentionVerdict } from './RetentionVerdict';

const DAY_MS = 86_400_000;
/** The last instant that a Date can tell: of a later one nothing would be later. */
const END_OF_TIME_MS = 8_640_000_000_000_000;

/**
 * Says of every backup of one cluster what keeps it, or why and when it goes. It looks at nothing else and changes
 * nothing, so it may be asked beforehand.
 *
 * - What a person holds, a store has locked, a restore needs, or was found in a store and is not accepted yet, is kept,
 *   whatever the rule says.
 * - No backup goes before a newer one is verified, and neither the newest verified nor the newest drilled one ever goes.
 * - Then expiry wins over every number of the rule; among the numbers, the one that keeps wins.
 * - A backup that was made before a restore is kept for its own time. It holds what somebody wanted replaced, so it takes
 *   no other's place, and lets no other go.
 *
 * @param backups - all backups of one cluster, in any order
 * @returns a verdict on each, newest first
 * @throws RangeError when a time is none, or the rule's time zone or one of its numbers
 * @public
 */
export function retain<Backup extends RetainableBackup>(
  backups: Backup[],
  rule: RetentionRule,
  now: Date,
): RetentionVerdict<Backup>[] {
  refuseNonsense(backups, rule, now);
  const newestFirst = [...backups].sort(byTime);
  const counted = newestFirst.filter(
    ({ createdAt, isBeforeRestore }) => createdAt <= now && !isBeforeRestore,
  );
  const verified = counted.filter(({ isVerified }) => isVerified);
  const [newestVerified] = verified;
  // Each of the verified ones as well, so that one that is not takes no place from one that is.
  const newestDrilled = [counted, verified].map(each =>
    each.find(({ isDrilled }) => isDrilled),
  );
  const rungs = rungsOf(rule).map(rung => ({
    ...rung,
    kept: new Set([
      ...newestOfEach(counted, rung),
      ...newestOfEach(verified, rung),
    ]),
  }));

  return newestFirst.map(backup => {
    const { createdAt, hold, lockedUntil, isBeforeRestore } = backup;
    const after = (days: number) =>
      new Date(Math.min(createdAt.getTime() + days * DAY_MS, END_OF_TIME_MS));
    const expiresAt = after(rule.expireAfterDays);

    const keptBy: Keeper[] = [];
    if (hold) keptBy.push({ by: 'hold', hold });
    if (lockedUntil && lockedUntil > now) {
      keptBy.push({ by: 'lock', until: lockedUntil });
    }
    if (backup.isNeeded) keptBy.push({ by: 'needed' });
    if (backup.isFound) keptBy.push({ by: 'found' });
    if (createdAt > now) {
      keptBy.push({ by: 'ahead-of-clock' });
    } else if (backup === newestVerified) {
      keptBy.push({ by: 'newest-verified' });
    } else if (!newestVerified || byTime(backup, newestVerified) < 0) {
      keptBy.push({ by: 'nothing-newer-verified' });
    }
    if (newestDrilled.includes(backup)) {
      keptBy.push({ by: 'newest-drilled' });
    }

    const byRule: Keeper[] = [];
    const keepUntil = (by: 'before-restore' | 'age', days: number) => {
      const until = after(Math.min(days, rule.expireAfterDays));
      if (days > 0 && until > now) byRule.push({ by, until });
    };
    if (isBeforeRestore) {
      keepUntil('before-restore', rule.keepReplacedDays);
    } else if (expiresAt > now) {
      keepUntil('age', rule.withinDays);
      for (const { keeper, kept } of rungs) {
        if (kept.has(backup)) byRule.push(keeper(createdAt));
      }
    }
    keptBy.push(...byRule);

    return {
      backup,
      keptBy,
      ended: byRule.length ? undefined : endOf(backup, expiresAt, now),
      mayGoAt: endOfAll(keptBy, now),
      expiresAt,
    };
  });
}

/** The newest backup of each of so many periods. */
interface Rung {
  periodOf: (backup: RetainableBackup) => string;
  count: number;
  keeper: (createdAt: Date) => Keeper;
}

function rungsOf(rule: RetentionRule): Rung[] {
  const { dayOf, weekOf, monthOf } = periodsIn(rule.timeZone);
  const calendarRung = (
    by: 'daily' | 'weekly' | 'monthly',
    periodAt: (at: Date) => string,
  ): Rung => ({
    periodOf: ({ createdAt }) => periodAt(createdAt),
    count: rule[by],
    keeper: createdAt => ({ by, period: periodAt(createdAt) }),
  });
  return [
    {
      periodOf: ({ id }) => id,
      count: rule.last,
      keeper: () => ({ by: 'last' }),
    },
    calendarRung('daily', dayOf),
    calendarRung('weekly', weekOf),
    calendarRung('monthly', monthOf),
  ];
}

/** Only periods that have a backup count: where backups stop, time alone takes none from a rung. */
function newestOfEach<Backup extends RetainableBackup>(
  newestFirst: Backup[],
  { periodOf, count }: Rung,
): Iterable<Backup> {
  const newest = new Map<string, Backup>();
  for (const backup of newestFirst) {
    if (newest.size === count) break;
    const period = periodOf(backup);
    if (!newest.has(period)) newest.set(period, backup);
  }
  return newest.values();
}

function endOf(
  { isBeforeRestore }: RetainableBackup,
  expiresAt: Date,
  now: Date,
): RetentionVerdict<RetainableBackup>['ended'] {
  if (expiresAt <= now) return 'expired';
  return isBeforeRestore ? 'before-restore-over' : 'not-in-rule';
}

function endOfAll(keptBy: Keeper[], now: Date): Date | undefined {
  let end = now;
  for (const keeper of keptBy) {
    if (!('until' in keeper)) return undefined;
    if (keeper.until > end) end = keeper.until;
  }
  return end;
}

/** Newest first; of the same instant in one order always. */
function byTime(one: RetainableBackup, other: RetainableBackup): number {
  const later = other.createdAt.getTime() - one.createdAt.getTime();
  if (later !== 0) return later;
  return one.id < other.id ? -1 : 1;
}

/** What compares with nothing would be kept by nothing. */
function refuseNonsense(
  backups: RetainableBackup[],
  rule: RetentionRule,
  now: Date,
) {
  const times = backups.flatMap(({ id, createdAt, lockedUntil }) => [
    { of: `the backup ${id}`, at: createdAt },
    { of: `the lock of the backup ${id}`, at: lockedUntil ?? createdAt },
  ]);
  for (const { of, at } of [{ of: 'now', at: now }, ...times]) {
    if (Number.isNaN(at.getTime())) {
      throw new RangeError(`The time of ${of} is none.`);
    }
  }
  const { timeZone: _, ...numbers } = rule;
  for (const [name, count] of Object.entries(numbers)) {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(`${name} ${count} of the rule is no number.`);
    }
  }
}
