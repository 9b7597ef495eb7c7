import { RetainableBackup } from './RetainableBackup';
import { RetentionRule } from './RetentionRule';
import { retain } from './retain';

const NOW = new Date('2026-11-22T12:00:00Z');
const NOTHING: RetentionRule = {
  last: 0,
  daily: 0,
  weekly: 0,
  monthly: 0,
  withinDays: 0,
  timeZone: 'UTC',
  expireAfterDays: 365,
  keepReplacedDays: 7,
};

const daysFromNow = (days: number) =>
  new Date(NOW.getTime() + days * 86_400_000);
const backup = (
  id: string,
  createdAt: Date | string,
  more: Partial<RetainableBackup> = {},
): RetainableBackup => ({
  id,
  createdAt: new Date(createdAt),
  isVerified: true,
  isDrilled: false,
  isBeforeRestore: false,
  isNeeded: false,
  isFound: false,
  ...more,
});
const hold = { by: 'user:default/ada', at: NOW.toISOString(), reason: 'audit' };

const verdictsOf = (
  backups: RetainableBackup[],
  rule: Partial<RetentionRule> = {},
) =>
  new Map(
    retain(backups, { ...NOTHING, ...rule }, NOW).map(verdict => [
      verdict.backup.id,
      verdict,
    ]),
  );
/** Of each backup what keeps it, or why it goes. */
const toldOf = (
  backups: RetainableBackup[],
  rule: Partial<RetentionRule> = {},
) =>
  Object.fromEntries(
    [...verdictsOf(backups, rule)].map(([id, { keptBy, ended }]) => [
      id,
      keptBy.map(({ by }) => by).join(' ') || `goes: ${ended}`,
    ]),
  );

describe('which wins', () => {
  const newest = backup('newest', daysFromNow(-1));
  const old = { last: 9, daily: 9, weekly: 9, monthly: 9, withinDays: 900 };

  it.each<[string, RetainableBackup, Partial<RetentionRule>, string]>([
    [
      'expiry over every number',
      backup('x', daysFromNow(-365)),
      old,
      'goes: expired',
    ],
    [
      'a number until expiry, to the millisecond',
      backup('x', new Date(daysFromNow(-365).getTime() + 1)),
      { last: 2 },
      'last',
    ],
    [
      'a hold over expiry',
      backup('x', daysFromNow(-400), { hold }),
      {},
      'hold',
    ],
    [
      'a restore that needs it over expiry',
      backup('x', daysFromNow(-400), { isNeeded: true }),
      {},
      'needed',
    ],
    [
      'that it was found over expiry',
      backup('x', daysFromNow(-400), { isFound: true }),
      {},
      'found',
    ],
    [
      'a lock over expiry',
      backup('x', daysFromNow(-400), { lockedUntil: daysFromNow(1) }),
      {},
      'lock',
    ],
    [
      'expiry over a lock that has ended',
      backup('x', daysFromNow(-400), { lockedUntil: NOW }),
      {},
      'goes: expired',
    ],
    [
      'the newest drilled over expiry',
      backup('x', daysFromNow(-400), { isDrilled: true }),
      {},
      'newest-drilled',
    ],
    [
      'one number that keeps over all that do not',
      backup('x', daysFromNow(-30)),
      { last: 1, daily: 1, monthly: 2 },
      'monthly',
    ],
    [
      'age where no other number keeps',
      backup('x', daysFromNow(-3)),
      { last: 1, withinDays: 4 },
      'age',
    ],
    [
      'the end of a term over every number',
      backup('x', daysFromNow(-7), { isBeforeRestore: true }),
      old,
      'goes: before-restore-over',
    ],
    [
      'a term until its end',
      backup('x', daysFromNow(-6.9), { isBeforeRestore: true }),
      {},
      'before-restore',
    ],
    [
      'expiry over a term',
      backup('x', daysFromNow(-3), { isBeforeRestore: true }),
      { expireAfterDays: 2 },
      'goes: expired',
    ],
    [
      'a hold over the end of a term',
      backup('x', daysFromNow(-9), { isBeforeRestore: true, hold }),
      {},
      'hold',
    ],
    [
      'nothing where nothing keeps',
      backup('x', daysFromNow(-2)),
      { last: 1 },
      'goes: not-in-rule',
    ],
  ])('%s', (_, x, rule, told) => {
    expect(toldOf([newest, x], rule).x).toBe(told);
  });

  it('the newest verified over expiry, and so does all that is newer', () => {
    expect(
      toldOf([
        backup('unread', daysFromNow(-400), { isVerified: false }),
        backup('good', daysFromNow(-500)),
        backup('older', daysFromNow(-600)),
      ]),
    ).toEqual({
      unread: 'nothing-newer-verified',
      good: 'newest-verified',
      older: 'goes: expired',
    });
  });
});

it('tells all that keeps a backup, the strongest first', () => {
  const lockedUntil = daysFromNow(30);
  const [verdict] = retain(
    [backup('x', '2026-11-22T11:00Z', { hold, lockedUntil, isDrilled: true })],
    { ...NOTHING, last: 1, daily: 1, weekly: 1, monthly: 1, withinDays: 1 },
    NOW,
  );
  expect(verdict.keptBy).toEqual([
    { by: 'hold', hold },
    { by: 'lock', until: lockedUntil },
    { by: 'newest-verified' },
    { by: 'newest-drilled' },
    { by: 'age', until: new Date('2026-11-23T11:00Z') },
    { by: 'last' },
    { by: 'daily', period: '2026-11-22' },
    { by: 'weekly', period: '2026-W47' },
    { by: 'monthly', period: '2026-11' },
  ]);
  expect(verdict.expiresAt).toEqual(new Date('2027-11-22T11:00Z'));
});

it('says when a backup may go: now, at a time, or when somebody acts', () => {
  const lockedUntil = daysFromNow(30);
  const verdicts = verdictsOf(
    [
      backup('newest', daysFromNow(-1)),
      backup('young', daysFromNow(-2)),
      backup('locked', daysFromNow(-20), { lockedUntil }),
      backup('held', daysFromNow(-30), { hold, lockedUntil }),
      backup('none', daysFromNow(-40)),
    ],
    { withinDays: 5 },
  );
  const mayGoAt = (id: string) => verdicts.get(id)!.mayGoAt;
  expect(mayGoAt('newest')).toBeUndefined();
  expect(mayGoAt('young')).toEqual(daysFromNow(3));
  expect(mayGoAt('locked')).toEqual(lockedUntil);
  expect(verdicts.get('locked')!.ended).toBe('not-in-rule');
  expect(mayGoAt('held')).toBeUndefined();
  expect(mayGoAt('none')).toEqual(NOW);
});

it('removes nothing as long as the newer ones are not verified', () => {
  const days = [1, 2, 3, 4].map(day =>
    backup(`${day}`, daysFromNow(-day), { isVerified: false }),
  );
  expect(Object.values(toldOf(days, { last: 1 }))).not.toContain(
    'goes: not-in-rule',
  );
});

it('gives no place of a verified backup to one that is not', () => {
  expect(
    toldOf(
      [
        backup('newest', daysFromNow(-0.1)),
        backup('damaged', '2026-11-10T20:00Z', { isVerified: false }),
        backup('good', '2026-11-10T08:00Z'),
        backup('earlier', '2026-11-10T02:00Z'),
      ],
      { daily: 2 },
    ),
  ).toEqual({
    newest: 'newest-verified daily',
    damaged: 'daily',
    good: 'daily',
    earlier: 'goes: not-in-rule',
  });
});

it('lets what a restore replaced stand for nothing else', () => {
  const replaced = { isBeforeRestore: true, isDrilled: true };
  expect(
    toldOf(
      [
        backup('replaced', '2026-11-22T10:00Z', replaced),
        backup('restored', '2026-11-22T02:00Z'),
        backup('yesterday', '2026-11-21T02:00Z'),
      ],
      { last: 1, daily: 1 },
    ),
  ).toEqual({
    replaced: 'nothing-newer-verified before-restore',
    restored: 'newest-verified last daily',
    yesterday: 'goes: not-in-rule',
  });
});

it('believes no backup that bears a time yet to come', () => {
  expect(
    toldOf(
      [
        backup('ahead', daysFromNow(300), { isDrilled: true }),
        backup('newest', daysFromNow(-1)),
        backup('older', daysFromNow(-2)),
      ],
      { last: 1 },
    ),
  ).toEqual({
    ahead: 'ahead-of-clock',
    newest: 'newest-verified last',
    older: 'goes: not-in-rule',
  });
});

it('empties no rung where backups have stopped', () => {
  const days = [200, 201, 202].map(day => backup(`${day}`, daysFromNow(-day)));
  expect(toldOf(days, { daily: 2 })).toEqual({
    200: 'newest-verified daily',
    201: 'daily',
    202: 'goes: not-in-rule',
  });
});

it.each([
  ['UTC', ['2026-11-21T23:30', '2026-11-20T23:30']],
  ['Europe/Berlin', ['2026-11-21T23:30', '2026-11-21T22:30']],
])('begins days as %s does', (timeZone, kept) => {
  const found = retain(
    [
      '2026-11-21T23:30',
      '2026-11-21T22:30',
      '2026-11-20T23:30',
      '2026-11-20T22:30',
    ].map(at => backup(at, `${at}Z`)),
    { ...NOTHING, daily: 2, timeZone },
    NOW,
  );
  expect(
    found.filter(({ keptBy }) => keptBy.length).map(each => each.backup.id),
  ).toEqual(kept);
});

it('leaves a ladder after two years of pruning every day', () => {
  const rule: RetentionRule = {
    ...NOTHING,
    timeZone: 'Europe/Berlin',
    last: 3,
    daily: 7,
    weekly: 4,
    monthly: 12,
  };
  let stored: RetainableBackup[] = [];
  const end = Date.parse('2026-12-31T20:00Z');
  const morning = Date.parse('2025-01-01T05:30Z');
  for (let at = morning; at <= end; at += 6 * 3_600_000) {
    const createdAt = new Date(at);
    stored.push(backup(createdAt.toISOString().slice(0, 16), createdAt));
    if (createdAt.getUTCHours() !== 17) continue;
    stored = retain(stored, rule, createdAt)
      .filter(({ keptBy }) => keptBy.length)
      .map(verdict => verdict.backup);
    expect(stored.length).toBeLessThanOrEqual(3 + 7 + 4 + 12);
  }
  // The last of a day in Berlin is that of 17:30 UTC: that of 23:30 is tomorrow's there.
  expect(stored.map(({ id }) => id)).toEqual([
    ...['2026-12-31T17:30', '2026-12-31T11:30', '2026-12-31T05:30'],
    ...['30', '29', '28', '27', '26', '25'].map(day => `2026-12-${day}T17:30`),
    ...['2026-12-20T17:30', '2026-12-13T17:30'],
    ...['11-30', '10-31', '09-30', '08-31', '07-31', '06-30', '05-31']
      .concat('04-30', '03-31', '02-28', '01-31')
      .map(day => `2026-${day}T17:30`),
  ]);
});

it('keeps for ever what is to be kept for ever', () => {
  const never = Number.MAX_SAFE_INTEGER;
  const days = [1, 9_000].map(day => backup(`${day}`, daysFromNow(-day)));
  expect(
    toldOf(days, { withinDays: never, expireAfterDays: never }),
  ).toMatchObject({ 9000: 'age' });
});

it.each<[RetainableBackup, Partial<RetentionRule>, Date]>([
  [backup('x', 'long ago'), {}, NOW],
  [backup('x', NOW, { lockedUntil: new Date('soon') }), {}, NOW],
  [backup('x', NOW), {}, new Date('now')],
  [backup('x', NOW), { daily: NaN }, NOW],
  [backup('x', NOW), { expireAfterDays: -1 }, NOW],
  [backup('x', NOW), { timeZone: 'Europe/Atlantis' }, NOW],
])('decides nothing about nonsense: %j %j', (x, rule, now) => {
  expect(() => retain([x], { ...NOTHING, ...rule }, now)).toThrow(RangeError);
});
