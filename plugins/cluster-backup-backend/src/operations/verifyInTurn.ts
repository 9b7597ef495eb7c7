import { SchedulerService } from '@backstage/backend-plugin-api';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { OperationStore } from '../database/OperationStore';
import { BY_ITSELF } from '../database/operationRows';
import { ClusterOperations } from './ClusterOperations';

const HOUR_MS = 60 * 60 * 1000;
/** Every backup is read once a week. */
const VERIFIED_BEFORE_MS = 7 * 24 * HOUR_MS;
const RETRY_AFTER_MS = HOUR_MS;

/** More need not wait: those that are due are looked for again soon. */
const MOST_WAITING = 10;

interface Verifying {
  operations: OperationStore;
  backups: BackupRecordStore;
  clusterOperations: ClusterOperations;
}

/** Has backups read again, in one of the replicas; the newest, first: they matter most. */
export async function verifyInTurn(
  verifying: Verifying & { scheduler: SchedulerService },
): Promise<void> {
  await verifying.scheduler.scheduleTask({
    id: 'cluster-backup-verify-in-turn',
    frequency: { minutes: 5 },
    initialDelay: { minutes: 1 },
    timeout: { minutes: 1 },
    fn: async () => {
      await queueVerifications(verifying);
    },
  });
}

/** @returns how many were queued */
export async function queueVerifications({
  operations,
  backups,
  clusterOperations,
}: Verifying): Promise<number> {
  const limit = MOST_WAITING - (await operations.waiting('verify'));
  if (limit <= 0) return 0;
  const due = await backups.dueForVerification({
    verifiedBeforeMs: VERIFIED_BEFORE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    limit,
  });
  for (const backup of due) await clusterOperations.verify(backup, BY_ITSELF);
  return due.length;
}
