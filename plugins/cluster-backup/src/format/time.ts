import { DateTime, Duration } from 'luxon';

/** `Nov 22, 2026, 6:40 PM` */
export function formatTime(iso: string): string {
  return DateTime.fromISO(iso).toLocaleString(DateTime.DATETIME_MED);
}

/** `18:40:07` */
export function formatClock(iso: string): string {
  return DateTime.fromISO(iso).toLocaleString(DateTime.TIME_24_WITH_SECONDS);
}

/** `3 hours ago` */
export function formatAge(iso: string): string {
  return DateTime.fromISO(iso).toRelative() ?? formatTime(iso);
}

/** `2 min, 5 sec` */
export function formatDuration(seconds: number): string {
  return Duration.fromObject({ seconds: Math.max(Math.round(seconds), 0) })
    .rescale()
    .toHuman({ unitDisplay: 'short' });
}
