import { createHash } from 'node:crypto';
import { CronTime } from 'cron';
import { DateTime } from 'luxon';

/** When the backups of clusters are due. */
export interface Schedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  cron: string;
  /** Whose clock that is. */
  timeZone: string;
  /** Each cluster's backup is so much later than the cron says, at most. */
  jitterMinutes: number;
}

const MEMBERS = ['cron', 'timeZone', 'jitterMinutes'];
const FIELDS = 5;
const MOST_JITTER_MINUTES = 24 * 60;
const MINUTE_MS = 60_000;
/** A time that is shown twice, or left out, is so shortly around the change. */
const CHANGE_WITHIN_HOURS = 3;

/**
 * The schedule that a section of the configuration is.
 *
 * @param wrong - makes the error of what is wrong with it
 */
export function readSchedule(
  section: unknown,
  wrong: (why: string) => Error,
): Schedule | undefined {
  if (section === undefined || section === null) return undefined;
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
  const { cron, timeZone = 'UTC', jitterMinutes = 0 } = section as Schedule;
  if (typeof cron !== 'string' || cron.trim().split(/\s+/).length !== FIELDS) {
    throw wrong(
      `cron ${cron} has not the five fields minute, hour, day, month, day of the week`,
    );
  }
  if (
    !Number.isInteger(jitterMinutes) ||
    jitterMinutes < 0 ||
    jitterMinutes > MOST_JITTER_MINUTES
  ) {
    throw wrong(
      `jitterMinutes ${jitterMinutes} is no number from 0 to ${MOST_JITTER_MINUTES}`,
    );
  }
  if (!isTimeZone(timeZone)) {
    throw wrong(
      `timeZone ${timeZone} is no name of one, such as Europe/Berlin`,
    );
  }
  const schedule = { cron: cron.trim(), timeZone, jitterMinutes };
  try {
    nextDue(schedule, '', new Date());
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw wrong(`cron ${cron} never comes: ${why}`);
  }
  return schedule;
}

/**
 * When the backup of a cluster is due next. Where clocks are put back, what they show twice counts the first time only;
 * where they are put forward, what they leave out comes right after.
 *
 * @param after - later than this
 */
export function nextDue(
  { cron, timeZone, jitterMinutes }: Schedule,
  clusterRef: string,
  after: Date,
): Date {
  const later = laterBy(clusterRef, jitterMinutes);
  const from = DateTime.fromMillis(after.getTime() - later, {
    zone: timeZone,
  });
  // What clocks show, as if it were UTC: there none is left out and none comes twice.
  const times = new CronTime(cron, 'UTC');
  let shown = from.setZone('utc', { keepLocalTime: true });
  let next: DateTime;
  do {
    const found = times.getNextDateFrom(shown.toJSDate(), 'UTC');
    shown = DateTime.fromMillis(found.toMillis(), { zone: 'utc' });
    next = whenShown(shown, timeZone);
  } while (next <= from);
  return new Date(next.toMillis() + later);
}

/**
 * When clocks show a time first, or, where they leave it out, when they are put forward over it. Of a later time that is
 * never earlier.
 */
function whenShown(shown: DateTime, timeZone: string): DateTime {
  const time = shown.setZone(timeZone, { keepLocalTime: true });
  const before = time.minus({ hours: CHANGE_WITHIN_HOURS });
  const minutesBack = before.offset - time.offset;
  if (minutesBack === 0) return time;
  if (minutesBack > 0) {
    const first = time.minus({ minutes: minutesBack });
    return first.offset === before.offset ? first : time;
  }
  const isLeftOut = time.hour !== shown.hour || time.minute !== shown.minute;
  return isLeftOut ? changeBetween(before, time) : time;
}

/** The first minute with the later one's offset. */
function changeBetween(before: DateTime, after: DateTime): DateTime {
  let [early, late] = [before, after];
  for (;;) {
    const minutes = Math.floor(late.diff(early, 'minutes').minutes / 2);
    if (minutes < 1) return late;
    const middle = early.plus({ minutes });
    if (middle.offset === after.offset) late = middle;
    else early = middle;
  }
}

/** How often it was due in a time, the end of it included; `most` is counted to. */
export function timesDue(
  schedule: Schedule,
  clusterRef: string,
  options: { after: Date; until: Date; most: number },
): number {
  const { after, until, most } = options;
  let times = 0;
  let at = nextDue(schedule, clusterRef, after);
  while (at <= until && times < most) {
    times += 1;
    at = nextDue(schedule, clusterRef, at);
  }
  return times;
}

/** Always the same for a cluster: every replica has it due at the same time. */
function laterBy(clusterRef: string, jitterMinutes: number): number {
  if (!jitterMinutes) return 0;
  const digest = createHash('sha256').update(clusterRef).digest();
  return (digest.readUInt32BE() % jitterMinutes) * MINUTE_MS;
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
