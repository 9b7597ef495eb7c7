import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError } from '@cluster-backup/engine';
import { RetentionRecords } from '../database/RetentionRecords';
import { auditEffect } from '../operations/auditEffect';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { foreseen } from '../operations/fault';
import { GRACE_MS, retentionOf, whyGone } from './retentionOf';

interface Pruning {
  auditor: AuditorService;
  logger: LoggerService;
  clusters: ConfiguredClusters;
  retention: RetentionRecords;
}

/** After these it is in all stores as it was. */
const NOT_TOUCHED = ['backup-held', 'backup-locked', 'backup-not-removable'];

/** Removes what no rule keeps any more, once an hour, in one of the replicas. */
export async function pruneBackups(
  pruning: Pruning & { scheduler: SchedulerService },
): Promise<void> {
  await pruning.scheduler.scheduleTask({
    id: 'cluster-backup-prune',
    frequency: { hours: 1 },
    initialDelay: { minutes: 15 },
    timeout: { hours: 1 },
    fn: signal => pruneAll(pruning, signal),
  });
}

/** First what somebody began to remove and did not end. */
export async function pruneAll(
  pruning: Pruning,
  signal: AbortSignal,
): Promise<void> {
  const { retention, logger } = pruning;
  for (const { backup, why } of await retention.begun()) {
    if (signal.aborted) return;
    await remove(backup, why, pruning);
  }
  for (const clusterRef of await retention.clusterRefs()) {
    if (signal.aborted) return;
    await pruneCluster(clusterRef, pruning, signal).catch(error =>
      logger.error(`The backups of ${clusterRef} were not pruned`, error),
    );
  }
}

/** The oldest first: where it ends early, what is left is the newest. */
async function pruneCluster(
  clusterRef: string,
  pruning: Pruning,
  signal: AbortSignal,
): Promise<void> {
  const { retention } = pruning;
  const { at, rule, verdicts } = await retentionOf(clusterRef, pruning);
  const going = verdicts.filter(({ keptBy }) => !keptBy.length).reverse();
  await retention.noteGoing(
    clusterRef,
    going.map(({ backup }) => backup.id),
  );
  for (const { backup: record, ended } of going) {
    if (signal.aborted) return;
    const { backup, goingSince } = record;
    if (!goingSince || at.getTime() - goingSince.getTime() < GRACE_MS) continue;
    const why = whyGone(backup, ended, rule);
    if (await retention.begin(backup, why, GRACE_MS)) {
      await remove(backup, why, pruning);
    }
  }
}

/** What fails halfway is tried again the next time. */
async function remove(
  backup: Backup,
  why: string,
  { clusters, retention, auditor, logger }: Pruning,
): Promise<void> {
  const { key, clusterRef } = backup;
  try {
    await clusters.remove(backup);
    await retention.end(backup, why);
  } catch (error) {
    const fault = foreseen(error);
    if (!fault) {
      logger.error(`${key} was not removed`, error as Error);
      return;
    }
    logger.warn(fault.message, { clusterRef, key, code: fault.code });
    if (NOT_TOUCHED.includes(fault.code)) {
      const { until } = (error as ClusterBackupError).details ?? {};
      const lock = typeof until === 'string' ? new Date(until) : undefined;
      await retention.giveUp(backup, lock);
    }
    return;
  }
  logger.info('A backup was removed', { clusterRef, key, why });
  await auditEffect(auditor, 'backup-remove', { clusterRef, key, why });
}
