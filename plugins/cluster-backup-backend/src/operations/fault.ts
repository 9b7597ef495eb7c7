import { Fault } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { isRestore, Job } from './Job';

/** An error as a person is told of it; `undefined` when nobody foresaw it. */
export function foreseen(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || error.name !== 'ClusterBackupError') {
    return undefined;
  }
  const { code, message, state, remedy, details } = error as ClusterBackupError;
  return { code, message, state, remedy, details };
}

/** What nobody foresaw, without what it says: that is for the log. */
export function notForeseen(state: string): Fault {
  return {
    code: 'not-foreseen',
    message: 'Something failed that nobody foresaw.',
    state,
    remedy:
      "Look at the portal's log, and report it to those who make this plugin; it is their mistake.",
  };
}

/** What is true after a job of which nothing is known but that it failed. */
export function stateAfter(job: Job): string {
  if (job.type === 'verify') return 'No copy of the backup was changed.';
  return isRestore(job)
    ? "The machines' journals keep where the restore stands."
    : NOTHING_CHANGED;
}
