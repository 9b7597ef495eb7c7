import { Finding } from '../checks';
import { ClusterMachines } from '../cluster';
import { ClusterBackupError } from '../errors';
import { Progress } from '../progress';

/** Takes a backup of a cluster that is about to be restored. @public */
export type SafetyBackup = (
  cluster: ClusterMachines,
  told: { progress: Progress; signal: AbortSignal },
) => Promise<{ key: string }>;

const STEP = 'safety-backup';

/**
 * Backs up what a restore is about to replace, as far as any member answers. Whoever restores may have no member left
 * to back up, so that it fails is told and stops nothing: what is replaced is kept on the machines as well.
 */
export async function backUpFirst(
  cluster: ClusterMachines,
  options: { safetyBackup?: SafetyBackup; dryRun?: boolean },
  run: { progress: Progress; signal: AbortSignal },
): Promise<Finding[]> {
  const { safetyBackup, dryRun } = options;
  if (!safetyBackup || dryRun) return [];
  const { progress, signal } = run;
  const told = { type: 'step', step: STEP } as const;
  const title = 'Back up what is about to be replaced';
  progress({ ...told, title, status: 'started' });
  try {
    const { key } = await safetyBackup(cluster, {
      signal,
      // Its steps are not the restore's.
      progress: event => {
        if (event.type === 'bytes') progress({ ...event, step: STEP });
      },
    });
    const message = `What is about to be replaced was backed up: ${key}.`;
    progress({ type: 'note', step: STEP, message });
    progress({ ...told, title, status: 'done' });
    return [];
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClusterBackupError)) throw error;
    const message = `What is about to be replaced could not be backed up: ${error.message}`;
    progress({ type: 'note', step: STEP, message });
    progress({ ...told, title, status: 'done' });
    return [
      {
        check: STEP,
        level: 'reservation',
        code: 'safety-backup-failed',
        message,
        remedy:
          'The data that is replaced is kept on the machines; keep it until the restore is known to be right.',
      },
    ];
  }
}
