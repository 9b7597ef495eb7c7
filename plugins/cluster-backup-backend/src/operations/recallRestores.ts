import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { OperationStore } from '../database/OperationStore';
import { auditEffect } from './auditEffect';
import { ConfiguredClusters } from './ConfiguredClusters';
import { startEngine } from './startEngine';

interface Recalling {
  logger: LoggerService;
  auditor: AuditorService;
  clusters: ConfiguredClusters;
  operations: OperationStore;
}

const ASKED_WITHIN_MS = 2 * 60_000;

/**
 * Asks the machines, some times a day and in one of the replicas, about restores: what was done with the command, or by a
 * portal whose database is gone, comes into the history.
 */
export async function recallRestores(
  recalling: Recalling & { scheduler: SchedulerService },
): Promise<void> {
  await recalling.scheduler.scheduleTask({
    id: 'cluster-backup-recall-restores',
    frequency: { hours: 6 },
    initialDelay: { seconds: 30 },
    timeout: { hours: 3 },
    fn: signal => recallAll(recalling, signal),
  });
}

export async function recallAll(recalling: Recalling, signal: AbortSignal) {
  for (const clusterRef of recalling.clusters.clusterRefs) {
    if (signal.aborted) return;
    await recallOf(clusterRef, recalling, signal).catch(error =>
      recalling.logger.warn('Machines were not asked about restores', {
        clusterRef,
        cause: String(error),
      }),
    );
  }
}

async function recallOf(
  clusterRef: string,
  { clusters, operations, auditor, logger }: Recalling,
  signal: AbortSignal,
): Promise<void> {
  const engine = startEngine(
    { type: 'recall', cluster: clusters.access(clusterRef) },
    { progress: () => {}, defect: stack => logger.warn(stack) },
  );
  const patience = setTimeout(engine.kill, ASKED_WITHIN_MS);
  signal.addEventListener('abort', engine.kill);
  try {
    const outcome = await engine.outcome;
    if (outcome.type === 'failed') throw new Error(outcome.fault.message);
    if (outcome.type !== 'recalled') return;
    for (const restore of outcome.restores) {
      if (!(await operations.recordRemembered(clusterRef, restore))) continue;
      const { operation, outcome: how } = restore;
      logger.info('A restore was found on the machines', {
        clusterRef,
        operation,
        outcome: how,
      });
      const meta = { clusterRef, operation, outcome: how };
      await auditEffect(auditor, 'restore-found', meta, 'high');
    }
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', engine.kill);
  }
}
