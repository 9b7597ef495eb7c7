const DAY_MS = 86_400_000;

/** Says which day, week and month it is somewhere. */
export interface Periods {
  /** `2026-11-22`. */
  dayOf(at: Date): string;
  /** As ISO 8601 counts: it begins on Monday, and belongs to the year that has its Thursday. `2026-W47`. */
  weekOf(at: Date): string;
  /** `2026-11`. */
  monthOf(at: Date): string;
}

/**
 * A day is what a calendar on the wall shows: with clocks put forward or back it has 23 or 25 hours, and is one day all
 * the same.
 *
 * @throws RangeError when there is no such time zone
 */
export function periodsIn(timeZone: string): Periods {
  const calendar = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const dayOf = (at: Date) => {
    const parts = new Map(
      calendar.formatToParts(at).map(({ type, value }) => [type, value]),
    );
    return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
  };
  return {
    dayOf,
    weekOf: at => weekOf(dayOf(at)),
    monthOf: at => dayOf(at).slice(0, 'YYYY-MM'.length),
  };
}

function weekOf(day: string): string {
  const date = new Date(day);
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  const thursday = new Date(date.getTime() + (3 - sinceMonday) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const dayOfYear = (thursday.getTime() - Date.UTC(year, 0)) / DAY_MS;
  const week = 1 + Math.floor(dayOfYear / 7);
  return `${year}-W${String(week).padStart(2, '0')}`;
}
