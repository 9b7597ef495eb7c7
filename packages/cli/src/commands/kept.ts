import {
  acceptOlderRestores,
  acceptRestore,
  ClusterBackupError,
  keptData,
  KeptReport,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import { readConfigurationFile } from '../configuration';
import { conclude, mib } from '../terminal';

interface ClusterOptions {
  cluster: string;
  config: string;
}

/** Lists what restores replaced and kept on the machines. */
export function kept(options: ClusterOptions) {
  return conclude(async signal => {
    const { cluster, config } = options;
    const access = readConfigurationFile(config).cluster(cluster);
    const found = await keptData(access, { signal });
    tellKept(found);
    return found;
  });
}

/** Removes what one restore kept, or all that are old enough. */
export function accept(
  options: ClusterOptions & { restore?: string; olderThanDays?: number },
) {
  return conclude(async signal => {
    const { cluster, config, restore: operation, olderThanDays } = options;
    const days = daysOf(operation, olderThanDays);
    const access = readConfigurationFile(config).cluster(cluster);
    const removed =
      operation === undefined
        ? await acceptOlderRestores(access, { days, signal })
        : await acceptRestore(access, { operation, signal });
    tellKept(removed);
    return { removed: removed.kept, unread: removed.unread };
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

function tellKept({ kept: found, unread }: KeptReport) {
  for (const { machine, operation, path, bytes, since } of found) {
    process.stderr.write(
      `${operation}  since ${since}  ${machine}: ${mib(bytes)} in ${path}\n`,
    );
  }
  for (const { machine, message } of unread) {
    process.stderr.write(`${machine} could not be looked at: ${message}\n`);
  }
}
