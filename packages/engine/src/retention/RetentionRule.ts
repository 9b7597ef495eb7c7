/**
 * How long the backups of a cluster are kept. Each of its numbers keeps backups by itself, 0 keeps none, and what any of
 * them keeps is kept until it expires.
 *
 * @public
 */
export interface RetentionRule {
  /** So many of the newest. */
  last: number;
  /** The newest of a day, on so many days that have a backup. */
  daily: number;
  /** The newest of a week, which begins on Monday, in so many weeks that have a backup. */
  weekly: number;
  /** The newest of a month, in so many months that have a backup. */
  monthly: number;
  /** All that are younger than so many days of 24 hours. */
  withinDays: number;
  /** Where days, weeks and months begin: `Europe/Berlin`. */
  timeZone: string;
  /** What is older than so many days of 24 hours has expired: no number above keeps it. */
  expireAfterDays: number;
  /** So many days of 24 hours a backup is kept that was made right before a restore, and no number above keeps it. */
  keepReplacedDays: number;
}
