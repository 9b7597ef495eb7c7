import { SchedulerService } from '@backstage/backend-plugin-api';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { BY_ITSELF } from '../database/operationRows';
import { ClusterOperations } from './ClusterOperations';

const HOUR_MS = 60 * 60 * 1000;
/** Every backup is read once a week. */
const VERIFIED_BEFORE_MS = 7 * 24 * HOUR_MS;
const RETRY_AFTER_MS = HOUR_MS;

/** Has backups read again, one after the other, in one of the replicas; those with a copy that is not good first. */
export async function verifyInTurn(options: {
  scheduler: SchedulerService;
  backups: BackupRecordStore;
  clusterOperations: ClusterOperations;
}): Promise<void> {
  const { scheduler, backups, clusterOperations } = options;
  await scheduler.scheduleTask({
    id: 'cluster-backup-verify-in-turn',
    frequency: { minutes: 5 },
    initialDelay: { minutes: 1 },
    timeout: { minutes: 1 },
    async fn() {
      const due = await backups.dueForVerification({
        verifiedBeforeMs: VERIFIED_BEFORE_MS,
        retryAfterMs: RETRY_AFTER_MS,
        limit: 1,
      });
      for (const backup of due) {
        await clusterOperations.verify(backup, BY_ITSELF);
      }
    },
  });
}
