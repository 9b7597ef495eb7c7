import { SchedulerService } from '@backstage/backend-plugin-api';
import { BY_ITSELF } from '../database/operationRows';
import { OperationStore } from '../database/OperationStore';
import { ClusterOperations } from './ClusterOperations';
import { ConfiguredClusters } from './ConfiguredClusters';

const ROUND_MINUTES = 5;
const DAY_MINUTES = 24 * 60;

interface Turn {
  clusters: ConfiguredClusters;
  operations: OperationStore;
  clusterOperations: ClusterOperations;
}

/**
 * Has every cluster looked at once a day, from one of the replicas: what keeps a restore from succeeding is found while
 * nobody needs one. A round begins its share of them, so that they are spread over the day.
 */
export async function checkInTurn(
  turn: Turn & { scheduler: SchedulerService },
): Promise<void> {
  await turn.scheduler.scheduleTask({
    id: 'cluster-backup-check-in-turn',
    frequency: { minutes: ROUND_MINUTES },
    initialDelay: { minutes: 15 },
    timeout: { minutes: 2 },
    fn: () => checkDue(turn),
  });
}

/** Begins the checks of one round. */
export async function checkDue(turn: Turn): Promise<void> {
  const { clusters, operations, clusterOperations } = turn;
  const { clusterRefs } = clusters;
  const spared = await operations.needingNoCheck({
    askedWithinMs: DAY_MINUTES * 60_000,
  });
  const due = clusterRefs.filter(clusterRef => !spared.has(clusterRef));
  const share = Math.ceil((clusterRefs.length * ROUND_MINUTES) / DAY_MINUTES);
  for (const clusterRef of due.slice(0, share)) {
    await clusterOperations.check(clusterRef, BY_ITSELF);
  }
}
