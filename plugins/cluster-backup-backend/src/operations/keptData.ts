import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import {
  ClusterAssessment,
  KeptDataReport,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  acceptOlderRestores,
  acceptRestore,
  assessCluster,
  keptData,
} from '@cluster-backup/engine';
import { auditEffect } from './auditEffect';
import { ConfiguredClusters } from './ConfiguredClusters';

const LOOKED_WITHIN_MS = 60_000;
const ACCEPTED_WITHIN_MS = 10 * 60_000;

/** What takes less than a restore, or comes before one; the machines are asked. */
export async function assessmentOf(
  clusters: ConfiguredClusters,
  clusterRef: string,
): Promise<ClusterAssessment> {
  const { advice, message, remedy, survivor } = await assessCluster(
    clusters.access(clusterRef),
    { signal: AbortSignal.timeout(LOOKED_WITHIN_MS) },
  );
  return { advice, message, remedy, survivor: survivor?.member };
}

/** What restores of a cluster replaced and kept; the machines are asked. */
export async function keptDataOf(
  clusters: ConfiguredClusters,
  clusterRef: string,
): Promise<KeptDataReport> {
  const { keepReplacedDays } = clusters;
  const found = await keptData(clusters.access(clusterRef), {
    signal: AbortSignal.timeout(LOOKED_WITHIN_MS),
  });
  return { ...found, keepReplacedDays };
}

/** Removes what a restore kept, and answers what is kept after it. */
export async function acceptRestoreOf(
  clusters: ConfiguredClusters,
  clusterRef: string,
  operation: string,
): Promise<KeptDataReport> {
  await acceptRestore(clusters.access(clusterRef), {
    operation,
    signal: AbortSignal.timeout(ACCEPTED_WITHIN_MS),
  });
  return keptDataOf(clusters, clusterRef);
}

/** Once a day, in one of the replicas, removes what restores replaced and nobody accepted for long enough. */
export async function tendKeptData(options: {
  scheduler: SchedulerService;
  logger: LoggerService;
  auditor: AuditorService;
  clusters: ConfiguredClusters;
}): Promise<void> {
  await options.scheduler.scheduleTask({
    id: 'cluster-backup-tend-kept-data',
    frequency: { hours: 24 },
    initialDelay: { minutes: 10 },
    timeout: { hours: 6 },
    fn: signal => removeOld(options, signal),
  });
}

export async function removeOld(
  {
    clusters,
    auditor,
    logger,
  }: {
    clusters: ConfiguredClusters;
    auditor: AuditorService;
    logger: LoggerService;
  },
  stop: AbortSignal,
): Promise<void> {
  for (const clusterRef of clusters.clusterRefs) {
    if (stop.aborted) return;
    try {
      const { kept } = await acceptOlderRestores(clusters.access(clusterRef), {
        days: clusters.keepReplacedDays,
        signal: AbortSignal.any([
          stop,
          AbortSignal.timeout(ACCEPTED_WITHIN_MS),
        ]),
      });
      for (const { machine, operation, path } of kept) {
        const facts = { clusterRef, machine, operation, path };
        logger.info('What a restore replaced was removed', facts);
        await auditEffect(auditor, 'kept-data-remove', facts);
      }
    } catch (error) {
      logger.warn('What restores replaced was not looked at', {
        clusterRef,
        cause: String(error),
      });
    }
  }
}
