import {
  acceptOlderRestores,
  acceptRestore,
  ClusterBackupError,
  keptData,
  KeptReport,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import { conclude, mib, OutputOptions } from '../terminal';

/** Lists what restores replaced and kept on the machines. */
export function kept(options: ClusterOptions & OutputOptions) {
  return conclude(options, async signal => {
    const access = await clusterFor(configurationFor(options), options);
    const found = await keptData(access, { signal });
    tellUnread(found);
    return { words: listKept(found), facts: found };
  });
}

/** Removes what one restore kept, or all that are old enough. */
export function accept(
  options: ClusterOptions &
    OutputOptions & { restore?: string; olderThanDays?: number },
) {
  return conclude(options, async signal => {
    const { restore: operation, olderThanDays } = options;
    const days = daysOf(operation, olderThanDays);
    const access = await clusterFor(configurationFor(options), options);
    const removed =
      operation === undefined
        ? await acceptOlderRestores(access, { days, signal })
        : await acceptRestore(access, { operation, signal });
    tellUnread(removed);
    return {
      words: `${listKept(removed)}${
        removed.kept.length ? 'That was removed' : 'Nothing was removed'
      }.\n`,
      facts: { removed: removed.kept, unread: removed.unread },
    };
  });
}

/** One of the two is said, and not both. */
function daysOf(operation?: string, days: number = NaN): number {
  if ((operation === undefined) === days >= 0) return days;
  throw new ClusterBackupError({
    code: 'arguments-missing',
    message:
      'Either the restore that is accepted is needed, or an age in days.',
    state: NOTHING_CHANGED,
    remedy:
      'Give --restore OPERATION, as kept names it, or --older-than-days N.',
  });
}

function listKept({ kept: found }: KeptReport): string {
  return found
    .map(
      ({ machine, operation, path, bytes, since }) =>
        `${operation}  since ${since}  ${machine}: ${mib(bytes)} in ${path}\n`,
    )
    .join('');
}

function tellUnread({ unread }: KeptReport) {
  for (const { machine, message } of unread) {
    process.stderr.write(`${machine} could not be looked at: ${message}\n`);
  }
}
