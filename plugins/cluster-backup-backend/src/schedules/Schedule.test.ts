import fc from 'fast-check';
import { nextDue, readSchedule, Schedule, timesDue } from './Schedule';

const read = (section: unknown) => readSchedule(section, why => new Error(why));
const LAB = 'resource:default/lab';

const following = (schedule: Schedule, from: string, count: number) => {
  const times: string[] = [];
  let at = new Date(from);
  while (times.length < count) {
    at = nextDue(schedule, LAB, at);
    times.push(at.toISOString().replace(':00.000Z', 'Z'));
  }
  return times;
};

it('reads a schedule, on the clock of UTC and without jitter where nothing else is said', () => {
  expect(read(undefined)).toBeUndefined();
  expect(read({ cron: ' 0 2 * * * ' })).toEqual({
    cron: '0 2 * * *',
    timeZone: 'UTC',
    jitterMinutes: 0,
  });
});

it.each<[unknown, RegExp]>([
  ['0 2 * * *', /not made of cron/],
  [{ cron: '0 2 * * *', every: 'day' }, /it has every, which nobody knows/],
  [{}, /cron undefined has not the five fields/],
  [{ cron: '0 0 2 * * *' }, /has not the five fields/],
  [{ cron: '@daily' }, /has not the five fields/],
  [{ cron: '61 2 * * *' }, /never comes: Field value \(61\) is out of range/],
  [{ cron: '0 0 30 2 *' }, /never comes/],
  [{ cron: '0 2 * * *', timeZone: 'Berlin' }, /timeZone Berlin is no name/],
  [{ cron: '0 2 * * *', timeZone: '+01:00' }, /is no name/],
  [{ cron: '0 2 * * *', jitterMinutes: -1 }, /is no number from 0/],
  [{ cron: '0 2 * * *', jitterMinutes: 1441 }, /is no number from 0/],
  [{ cron: '0 2 * * *', jitterMinutes: '5' }, /is no number from 0/],
])('refuses %j', (section, why) => {
  expect(() => read(section)).toThrow(why);
});

describe('where clocks are put forward and back', () => {
  const berlin = (cron: string) => ({
    ...{ cron, timeZone: 'Europe/Berlin' },
    jitterMinutes: 0,
  });

  it.each([
    // The 2:30 that there is not comes at 3:00.
    [
      '30 2 * * *',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00Z', '2026-03-30T00:30Z'],
    ],
    // Of two times 2:30 the first one counts.
    [
      '30 2 * * *',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    ],
    [
      '0 4 * * *',
      '2026-10-24T12:00Z',
      ['2026-10-25T03:00Z', '2026-10-26T03:00Z'],
    ],
  ])('%s is due once a day after %s', (cron, from, times) => {
    expect(following(berlin(cron), from, 2)).toEqual(times);
  });
});

/** Around the two nights in which clocks change, where it goes wrong. */
const nights = ['2026-03-29T00:00Z', '2026-10-25T00:00Z'].map(Date.parse);

it('is the same whenever it is asked, until it is due', () => {
  const schedule = fc.record({
    cron: fc.constantFrom(
      ...['30 2 * * *', '0 3 * * *', '0 * * * *', '*/20 1-3 * * *'],
    ),
    timeZone: fc.constantFrom('Europe/Berlin', 'Europe/London'),
    jitterMinutes: fc.constantFrom(0, 45),
  });
  fc.assert(
    fc.property(
      ...([schedule, fc.constantFrom(...nights), fc.nat(6 * 60)] as const),
      (asked, night, minutes) => {
        const at = new Date(night - 3_600_000 + minutes * 60_000 + 15_000);
        const due = nextDue(asked, LAB, at);
        const last = new Date(due.getTime() - 1);
        expect(nextDue(asked, LAB, last)).toEqual(due);
        const between = new Date((at.getTime() + due.getTime()) / 2);
        expect(nextDue(asked, LAB, between)).toEqual(due);
      },
    ),
    { numRuns: 500 },
  );
});

const someSchedule = fc.record({
  cron: fc.constantFrom(
    ...[
      '0 2 * * *',
      '*/15 * * * *',
      '5 */6 * * 1-5',
      '0 3 1 * *',
      '30 2 * * 0',
    ],
  ),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns'),
  jitterMinutes: fc.constantFrom(0, 7, 90, 1440),
});
const someTime = fc
  .integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) })
  .map(at => new Date(at));
const someCluster = fc.string({ minLength: 1, maxLength: 20 });

it('is due later than asked from, at a full minute, at most the jitter later than without it', () => {
  fc.assert(
    fc.property(someSchedule, someTime, someCluster, (schedule, at, ref) => {
      const due = nextDue(schedule, ref, at);
      expect(due.getTime()).toBeGreaterThan(at.getTime());
      expect(due.getTime() % 60_000).toBe(0);
      expect(nextDue(schedule, ref, at)).toEqual(due);
      const plain = nextDue({ ...schedule, jitterMinutes: 0 }, ref, at);
      const later = (due.getTime() - plain.getTime()) / 60_000;
      expect(later).toBeLessThanOrEqual(schedule.jitterMinutes);
    }),
    { numRuns: 100 },
  );
});

it('counts each time once, wherever a span is cut in two', () => {
  fc.assert(
    fc.property(
      ...([someSchedule, someTime, fc.nat(12), fc.nat(12)] as const),
      (schedule, after, first, second) => {
        const most = 1000;
        const cut = new Date(after.getTime() + first * 7_200_000);
        const until = new Date(cut.getTime() + second * 7_200_000);
        const count = (from: Date, to: Date) =>
          timesDue(schedule, LAB, { after: from, until: to, most });
        expect(count(after, cut) + count(cut, until)).toBe(count(after, until));
      },
    ),
    { numRuns: 50 },
  );
});

it('has clusters spread over the jitter', () => {
  const schedule = { cron: '0 2 * * *', timeZone: 'UTC', jitterMinutes: 60 };
  const minutes = Array.from({ length: 300 }, (_, index) =>
    nextDue(schedule, `resource:default/${index}`, new Date('2026-11-23')),
  ).map(at => at.getUTCMinutes() + 60 * (at.getUTCHours() - 2));
  expect(Math.min(...minutes)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...minutes)).toBeLessThan(60);
  expect(new Set(minutes).size).toBeGreaterThan(50);
});
