import fc from 'fast-check';
import { periodsIn } from './periods';

const of = (timeZone: string, at: string) => {
  const { dayOf, weekOf, monthOf } = periodsIn(timeZone);
  const instant = new Date(at);
  return [dayOf(instant), weekOf(instant), monthOf(instant)];
};

it.each([
  ['UTC', '2026-11-22T23:59:59.999Z', '2026-11-22', '2026-W47', '2026-11'],
  ['UTC', '2026-11-23T00:00:00.000Z', '2026-11-23', '2026-W48', '2026-11'],
  // Already the next day, week, month and year there; and still the last.
  ['Europe/Berlin', '2026-12-31T23:30Z', '2027-01-01', '2026-W53', '2027-01'],
  [
    'America/New_York',
    '2027-01-01T04:30Z',
    '2026-12-31',
    '2026-W53',
    '2026-12',
  ],
  [
    'Pacific/Auckland',
    '2026-11-22T11:30Z',
    '2026-11-23',
    '2026-W48',
    '2026-11',
  ],
  ['Asia/Kathmandu', '2026-11-22T18:14Z', '2026-11-22', '2026-W47', '2026-11'],
  ['Asia/Kathmandu', '2026-11-22T18:15Z', '2026-11-23', '2026-W48', '2026-11'],
  // Weeks of a year that is not theirs.
  ['UTC', '2024-12-30T00:00Z', '2024-12-30', '2025-W01', '2024-12'],
  ['UTC', '2021-01-03T00:00Z', '2021-01-03', '2020-W53', '2021-01'],
  ['UTC', '2028-01-01T00:00Z', '2028-01-01', '2027-W52', '2028-01'],
])('in %s %s is in %s, %s and %s', (timeZone, at, ...periods) => {
  expect(of(timeZone, at)).toEqual(periods);
});

it('has one day of 23 hours and one of 25 where clocks change', () => {
  const { dayOf } = periodsIn('Europe/Berlin');
  const hours = new Map<string, number>();
  const from = Date.parse('2026-01-01T00:00+01:00');
  const to = Date.parse('2027-01-01T00:00+01:00');
  for (let at = from; at < to; at += 3_600_000) {
    const day = dayOf(new Date(at));
    hours.set(day, (hours.get(day) ?? 0) + 1);
  }
  expect(hours.size).toBe(365);
  expect([...hours].filter(([, count]) => count !== 24)).toEqual([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
  ]);
});

it('has no day that a place has left out', () => {
  expect(of('Pacific/Apia', '2011-12-30T09:59Z')[0]).toBe('2011-12-29');
  expect(of('Pacific/Apia', '2011-12-30T10:00Z')[0]).toBe('2011-12-31');
});

it('counts weeks that have seven days each, one after the other', () => {
  const { dayOf, weekOf } = periodsIn('UTC');
  const monday = Date.parse('2000-01-03');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3000 }), week => {
      const days = [0, 1, 2, 3, 4, 5, 6, 7].map(
        day => new Date(monday + (week * 7 + day) * 86_400_000),
      );
      const weeks = days.map(weekOf);
      expect(new Set(weeks.slice(0, 7)).size).toBe(1);
      expect(weeks[7]).not.toBe(weeks[6]);
      // The year of a week is that of its Thursday, and its first week has January 4.
      expect(weeks[0].slice(0, 4)).toBe(dayOf(days[3]).slice(0, 4));
      const hasJanuary4 = days
        .slice(0, 7)
        .some(day => dayOf(day).endsWith('-01-04'));
      expect(weeks[0].endsWith('-W01')).toBe(hasJanuary4);
    }),
  );
});

it('knows no place that is none', () => {
  expect(() => periodsIn('Europe/Atlantis')).toThrow(RangeError);
});
