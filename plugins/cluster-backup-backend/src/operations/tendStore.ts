import {
  findUnrecorded,
  FoundBackup,
  Progress,
  sweepStore,
} from '@cluster-backup/engine';
import { Job } from './Job';
import { openStore } from './openStore';

const HOUR_MS = 60 * 60 * 1000;
/** What has no summary may be of somebody who is still copying. */
const SWEPT_AFTER_MS = 7 * 24 * HOUR_MS;

type TendJob = Extract<Job, { type: 'tend' }>;

/** Removes what was left half-written in a store, and finds backups that there is no record of. */
export async function tendStore(
  job: TendJob,
  told: { progress: Progress; signal: AbortSignal },
): Promise<{ swept: string[]; found: FoundBackup[] }> {
  const { recorded, trustedSigners } = job;
  const store = await openStore(job.store);
  const found = await findUnrecorded({
    store,
    recorded,
    trustedSigners,
    before: new Date(Date.now() - HOUR_MS),
    passedOver: (_, { message }) => told.progress({ type: 'note', message }),
    signal: told.signal,
  });
  const swept = await sweepStore(store, new Date(Date.now() - SWEPT_AFTER_MS));
  return { swept, found };
}
