import fc from 'fast-check';
import { RetainableBackup } from './RetainableBackup';
import { RetentionRule } from './RetentionRule';
import { retain } from './retain';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = new Date('2026-11-22T12:00:00Z');
const at = (hoursFromNow: number) =>
  new Date(NOW.getTime() + hoursFromNow * HOUR_MS);

const hours = (fromDays: number, toDays: number) =>
  fc.integer({ min: fromDays * 24, max: toDays * 24 }).map(at);
const sometimes = fc.integer({ min: 0, max: 5 }).map(count => count === 0);
const rarely = fc.integer({ min: 0, max: 20 }).map(count => count === 0);
const seldom = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: value },
  );

// Many within the last month, so that they meet in days and weeks; some at the same instant, some ahead of the clock.
const someBackups: fc.Arbitrary<RetainableBackup[]> = fc
  .array(
    fc.record({
      createdAt: fc.oneof(hours(-30, 0), hours(-450, 2)),
      isVerified: fc.integer({ min: 0, max: 3 }).map(count => count > 0),
      isDrilled: sometimes,
      isBeforeRestore: sometimes,
      isNeeded: rarely,
      isFound: rarely,
      hold: seldom(
        fc.constant({ by: 'user:default/ada', at: '', reason: 'audit' }),
      ),
      lockedUntil: seldom(hours(-30, 60)),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map(backups => backups.map((each, index) => ({ ...each, id: `${index}` })));

const timeZones = [
  'UTC',
  'Europe/Berlin',
  'America/St_Johns',
  'Asia/Kathmandu',
  'Pacific/Auckland',
];
const numbers = {
  last: fc.integer({ min: 0, max: 5 }),
  daily: fc.integer({ min: 0, max: 10 }),
  weekly: fc.integer({ min: 0, max: 6 }),
  monthly: fc.integer({ min: 0, max: 14 }),
  withinDays: fc.integer({ min: 0, max: 40 }),
  expireAfterDays: fc.integer({ min: 1, max: 400 }),
  keepReplacedDays: fc.integer({ min: 1, max: 30 }),
};
const someRule: fc.Arbitrary<RetentionRule> = fc.record({
  ...numbers,
  timeZone: fc.constantFrom(...timeZones),
});

const kept = (
  backups: RetainableBackup[],
  rule: RetentionRule,
  now: Date = NOW,
): RetainableBackup[] =>
  retain(backups, rule, now)
    .filter(({ keptBy }) => keptBy.length)
    .map(({ backup }) => backup);
const idsOf = (backups: RetainableBackup[]) => backups.map(({ id }) => id);
const keptIds = (...asked: Parameters<typeof kept>) =>
  new Set(idsOf(kept(...asked)));
const counts = ({ createdAt, isBeforeRestore }: RetainableBackup) =>
  createdAt <= NOW && !isBeforeRestore;
/** Of the same instant one is newer, but which is nobody's business. */
const isNewer = (one: RetainableBackup, other: RetainableBackup) =>
  one.createdAt >= other.createdAt && one.id !== other.id;

/** Whatever there is and whatever the rule. */
const always =
  (holds: (backups: RetainableBackup[], rule: RetentionRule) => void) => () =>
    fc.assert(fc.property(someBackups, someRule, holds), { numRuns: 300 });

it(
  'says one thing of each, newest first, whatever their order',
  always((backups, rule) => {
    const verdicts = retain(backups, rule, NOW);
    expect(verdicts).toHaveLength(backups.length);
    const times = verdicts.map(({ backup }) => backup.createdAt.getTime());
    expect(times).toEqual([...times].sort((one, other) => other - one));
    expect(retain([...backups].reverse(), rule, NOW)).toEqual(verdicts);
  }),
);

it(
  'never lets everything go',
  always((backups, rule) => {
    expect(kept(backups, rule)).not.toEqual([]);
  }),
);

it(
  'keeps what is held, locked, needed, found and not accepted, and what is ahead of the clock',
  always((backups, rule) => {
    const ids = keptIds(backups, rule);
    const bound = backups.filter(
      ({ hold, lockedUntil, createdAt, isNeeded, isFound }) =>
        hold ||
        isNeeded ||
        isFound ||
        (lockedUntil && lockedUntil > NOW) ||
        createdAt > NOW,
    );
    for (const { id } of bound) expect(ids).toContain(id);
  }),
);

it(
  'keeps the newest verified and the newest drilled',
  always((backups, rule) => {
    const staying = kept(backups, rule).filter(counts);
    for (const is of ['isVerified', 'isDrilled'] as const) {
      const such = backups.filter(each => counts(each) && each[is]);
      const newest = Math.max(...such.map(each => each.createdAt.getTime()));
      if (!such.length) continue;
      expect(
        staying.some(each => each[is] && each.createdAt.getTime() === newest),
      ).toBe(true);
    }
  }),
);

it(
  'lets none go before a newer one is verified, which stays',
  always((backups, rule) => {
    const staying = kept(backups, rule);
    const ids = new Set(idsOf(staying));
    const verified = staying.filter(each => counts(each) && each.isVerified);
    for (const gone of backups.filter(({ id }) => !ids.has(id))) {
      expect(verified.some(each => isNewer(each, gone))).toBe(true);
    }
  }),
);

it(
  'has every number end at expiry',
  always((backups, rule) => {
    for (const { backup, keptBy, ended, expiresAt } of retain(
      backups,
      rule,
      NOW,
    )) {
      const age = NOW.getTime() - backup.createdAt.getTime();
      const isExpired = age >= rule.expireAfterDays * DAY_MS;
      expect(expiresAt <= NOW).toBe(isExpired);
      expect(ended === 'expired').toBe(isExpired);
      if (!isExpired) continue;
      for (const { by } of keptBy) {
        expect([
          'hold',
          'needed',
          'found',
          'lock',
          'newest-verified',
          'newest-drilled',
          'nothing-newer-verified',
        ]).toContain(by);
      }
    }
  }),
);

it(
  'says the same of what was retained',
  always((backups, rule) => {
    const verdicts = retain(backups, rule, NOW);
    const staying = verdicts.filter(({ keptBy }) => keptBy.length);
    expect(retain(kept(backups, rule), rule, NOW)).toEqual(staying);
  }),
);

it('keeps all that it kept when a number of the rule is higher', () => {
  fc.assert(
    fc.property(
      someBackups,
      someRule,
      fc.constantFrom(...(Object.keys(numbers) as Array<keyof typeof numbers>)),
      fc.integer({ min: 1, max: 20 }),
      (backups, rule, name, more) => {
        const higher = { ...rule, [name]: rule[name] + more };
        const ids = keptIds(backups, higher);
        for (const id of keptIds(backups, rule)) expect(ids).toContain(id);
      },
    ),
    { numRuns: 300 },
  );
});

it('brings nothing back with time, on any replica’s clock', () => {
  fc.assert(
    fc.property(
      someBackups,
      someRule,
      hours(0, 400),
      (backups, rule, later) => {
        const ids = keptIds(backups, rule);
        for (const id of keptIds(backups, rule, later)) {
          expect(ids).toContain(id);
        }
      },
    ),
    { numRuns: 300 },
  );
});

it(
  'leaves the same whenever and however often it prunes',
  always((backups, rule) => {
    const present = backups.filter(({ createdAt }) => createdAt <= NOW);
    const inTurn = [...present].sort(
      (one, other) => one.createdAt.getTime() - other.createdAt.getTime(),
    );
    let stored: RetainableBackup[] = [];
    for (const backup of inTurn) {
      stored = kept([...stored, backup], rule, backup.createdAt);
    }
    expect(kept(stored, rule)).toEqual(kept(present, rule));
  }),
);

it(
  'gives no place of a verified backup to one that is not',
  always((backups, rule) => {
    const verified = backups.filter(({ isVerified }) => isVerified);
    expect(kept(backups, rule).filter(({ isVerified }) => isVerified)).toEqual(
      kept(verified, rule),
    );
  }),
);

it(
  'says of the others the same without those made before a restore',
  always((backups, rule) => {
    const others = backups.filter(({ isBeforeRestore }) => !isBeforeRestore);
    expect(
      retain(backups, rule, NOW).filter(
        ({ backup }) => !backup.isBeforeRestore,
      ),
    ).toEqual(retain(others, rule, NOW));
  }),
);

it(
  'has the newest of each day and month, as calendars there have them',
  always((backups, rule) => {
    const { timeZone } = rule;
    const ids = keptIds(backups, rule);
    const good = backups
      .filter(each => counts(each) && each.isVerified)
      .sort(
        (one, other) => other.createdAt.getTime() - one.createdAt.getTime(),
      );
    for (const [by, length] of [
      ['daily', 'YYYY-MM-DD'.length],
      ['monthly', 'YYYY-MM'.length],
    ] as const) {
      const periods = new Map<string, RetainableBackup[]>();
      for (const backup of good) {
        const period = backup.createdAt
          .toLocaleDateString('sv-SE', { timeZone })
          .slice(0, length);
        periods.set(period, [...(periods.get(period) ?? []), backup]);
      }
      for (const [newest, ...others] of [...periods.values()].slice(
        0,
        rule[by],
      )) {
        const age = NOW.getTime() - newest.createdAt.getTime();
        if (age >= rule.expireAfterDays * DAY_MS) continue;
        const sameInstant = others.filter(
          each => each.createdAt.getTime() === newest.createdAt.getTime(),
        );
        expect([newest, ...sameInstant].some(({ id }) => ids.has(id))).toBe(
          true,
        );
      }
    }
  }),
);

it(
  'keeps no more by a number than the number',
  always((backups, rule) => {
    const verified = backups.map(each => ({ ...each, isVerified: true }));
    const verdicts = retain(verified, rule, NOW);
    for (const number of ['last', 'daily', 'weekly', 'monthly'] as const) {
      const found = verdicts.flatMap(({ keptBy }) =>
        keptBy.filter(({ by }) => by === number),
      );
      expect(found.length).toBeLessThanOrEqual(rule[number]);
    }
  }),
);

it(
  'lets a backup go when it said, and not before',
  always((backups, rule) => {
    for (const { backup, keptBy, mayGoAt } of retain(backups, rule, NOW)) {
      expect(mayGoAt?.getTime() === NOW.getTime()).toBe(!keptBy.length);
      if (!mayGoAt) continue;
      const isKept = (time: number) =>
        keptIds(backups, rule, new Date(time)).has(backup.id);
      expect(isKept(mayGoAt.getTime())).toBe(false);
      const before = Math.max(mayGoAt.getTime() - 1, NOW.getTime());
      expect(isKept(before)).toBe(keptBy.length > 0);
    }
  }),
);
