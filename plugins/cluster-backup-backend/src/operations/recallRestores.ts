import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { OperationStore } from '../database/OperationStore';
import { auditEffect } from './auditEffect';
import { ConfiguredClusters } from './ConfiguredClusters';
import { RememberedRestore } from './Job';
import { startEngine } from './startEngine';

interface Recalling {
  logger: LoggerService;
  auditor: AuditorService;
  clusters: ConfiguredClusters;
  operations: OperationStore;
}

const ASKED_WITHIN_MS = 2 * 60_000;
/** Somebody may be at it: what was written so lately is not held up. */
const QUIET_MS = 5 * 60_000;

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

/** Asks all clusters, and once more, a while later, those on which a restore seems to be under way. */
export async function recallAll(
  recalling: Recalling,
  signal: AbortSignal,
  quietMs = QUIET_MS,
) {
  const { clusterRefs } = recalling.clusters;
  const busy = await recallEach(clusterRefs, recalling, signal, quietMs);
  if (!busy.length) return;
  await sleep(quietMs, undefined, { signal }).catch(() => {});
  await recallEach(busy, recalling, signal, quietMs);
}

/** @returns those on which somebody seems to be at it */
async function recallEach(
  clusterRefs: string[],
  recalling: Recalling,
  signal: AbortSignal,
  quietMs: number,
): Promise<string[]> {
  const busy: string[] = [];
  for (const clusterRef of clusterRefs) {
    if (signal.aborted) break;
    try {
      const restores = await recall(clusterRef, recalling, signal);
      const isBusy = (restore: RememberedRestore) =>
        restore.outcome === 'unfinished' &&
        Date.now() - Date.parse(restore.lastAt ?? restore.begunAt) < quietMs;
      if (restores.some(isBusy)) busy.push(clusterRef);
      await record(
        clusterRef,
        restores.filter(restore => !isBusy(restore)),
        recalling,
      );
    } catch (error) {
      recalling.logger.warn('Machines were not asked about restores', {
        clusterRef,
        cause: String(error),
      });
    }
  }
  return busy;
}

async function recall(
  clusterRef: string,
  { clusters, logger }: Recalling,
  signal: AbortSignal,
): Promise<RememberedRestore[]> {
  const engine = startEngine(
    { type: 'recall', cluster: clusters.access(clusterRef) },
    { progress: () => {}, defect: stack => logger.warn(stack) },
  );
  const patience = setTimeout(engine.kill, ASKED_WITHIN_MS);
  signal.addEventListener('abort', engine.kill);
  try {
    const outcome = await engine.outcome;
    if (outcome.type === 'failed') throw new Error(outcome.fault.message);
    return outcome.type === 'recalled' ? outcome.restores : [];
  } finally {
    clearTimeout(patience);
    signal.removeEventListener('abort', engine.kill);
  }
}

async function record(
  clusterRef: string,
  restores: RememberedRestore[],
  { operations, auditor, logger }: Recalling,
) {
  for (const restore of restores) {
    if (!(await operations.recordRemembered(clusterRef, restore))) continue;
    const { operation, outcome } = restore;
    const meta = { clusterRef, operation, outcome };
    logger.info('A restore was found on the machines', meta);
    await auditEffect(auditor, 'restore-found', meta, 'high');
  }
}
