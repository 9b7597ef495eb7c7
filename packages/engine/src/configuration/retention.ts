import { RetentionRule } from '../retention';
import { RetentionSection } from './section';

/** At least so far apart is what a number counts. */
const DAYS_APART = [
  ['withinDays', 1],
  ['daily', 1],
  ['weekly', 7],
  ['monthly', 28],
] as const;
const NUMBERS = ['last', 'daily', 'weekly', 'monthly', 'withinDays'] as const;
const MEMBERS: string[] = [...NUMBERS, 'timeZone'];

/** What is configured of expiry, for all clusters. */
type Terms = Pick<RetentionRule, 'expireAfterDays' | 'keepReplacedDays'>;

/**
 * The rule that a `retention` section is; without one all is kept until it expires.
 *
 * @param wrong - makes the error of what is wrong with it
 */
export function readRetention(
  section: unknown,
  terms: Terms,
  wrong: (why: string) => Error,
): RetentionRule {
  const { expireAfterDays } = terms;
  if (section === undefined || section === null) {
    return ruleOf({ withinDays: expireAfterDays }, terms);
  }
  if (typeof section !== 'object' || Array.isArray(section)) {
    throw wrong(`it is not made of ${MEMBERS.join(', ')}`);
  }
  const unknown = Object.keys(section).find(key => !MEMBERS.includes(key));
  if (unknown !== undefined) {
    throw wrong(
      `it has ${unknown}, which nobody knows; it can have: ${MEMBERS.join(
        ', ',
      )}`,
    );
  }
  const found = section as RetentionSection;
  const numbers = NUMBERS.filter(name => found[name] !== undefined);
  if (!numbers.length) {
    throw wrong(`nothing in it keeps a backup: ${NUMBERS.join(', ')}`);
  }
  for (const name of numbers) {
    const count = found[name];
    if (!Number.isInteger(count) || count! < 1) {
      throw wrong(`${name} ${count} is no number of 1 or more`);
    }
  }
  refuseUnreachable(found, expireAfterDays, wrong);
  if (found.timeZone !== undefined && !isTimeZone(found.timeZone)) {
    throw wrong(
      `timeZone ${found.timeZone} is no name of one, such as Europe/Berlin`,
    );
  }
  return ruleOf(found, terms);
}

function ruleOf(section: RetentionSection, terms: Terms): RetentionRule {
  return {
    last: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    withinDays: 0,
    timeZone: 'UTC',
    ...section,
    ...terms,
  };
}

/** Whoever asks for two years, of backups that expire after one, hears it before the second is over. */
function refuseUnreachable(
  section: RetentionSection,
  expireAfterDays: number,
  wrong: (why: string) => Error,
) {
  for (const [name, days] of DAYS_APART) {
    const count = section[name] ?? 1;
    if ((count - 1) * days < expireAfterDays) continue;
    throw wrong(
      `${name} ${count} reaches further back than expireAfterDays ${expireAfterDays}, after which none is kept`,
    );
  }
}

/** `+01:00` is none: it knows of no summer. */
function isTimeZone(name: unknown): boolean {
  if (typeof name !== 'string' || !/^[A-Za-z]/.test(name)) return false;
  try {
    return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: name }));
  } catch {
    return false;
  }
}
