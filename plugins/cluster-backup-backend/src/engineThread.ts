import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { NOTHING_CHANGED } from '@cluster-backup/engine';
import { foreseen, notForeseen, stateAfter } from './operations/fault';
import { FromThread, Job } from './operations/Job';
import { look, performJob } from './operations/performJob';

/*
 * The entry of the thread that an operation runs in, so that the portal's event loop stays free. It may be ended at any
 * moment: a backup keeps nothing in the store then, a restore has its journals on the machines.
 */
const job: Job = workerData;
const say = (message: FromThread) => parentPort!.postMessage(message);

const CANCELLED = {
  code: 'cancelled',
  message: 'The operation was cancelled.',
  state: NOTHING_CHANGED,
  remedy: 'Start it again when you want it.',
};

async function main() {
  const cancel = new AbortController();
  parentPort!.on('message', () => cancel.abort());
  try {
    const outcome = await performJob(job, {
      progress: progress => say({ progress }),
      signal: cancel.signal,
    });
    say({ outcome });
  } catch (error) {
    say({ outcome: await failure(error, cancel.signal) });
  }
  parentPort!.close();
}

async function failure(error: unknown, signal: AbortSignal) {
  const isRestore = ['restore', 'resume', 'undo'].includes(job.type);
  const unfinished = isRestore ? await look(job.cluster) : 'unknown';
  const fault = foreseen(error) ?? (signal.aborted ? CANCELLED : undefined);
  if (fault) return { type: 'failed', fault, unfinished } as const;
  say({ defect: (error as Error)?.stack ?? String(error) });
  return {
    type: 'failed',
    fault: notForeseen(stateAfter(job)),
    unfinished,
  } as const;
}

// The portal's event loop goes before a backup, and not before a restore, which makes an outage longer when it waits.
// Elsewhere than on Linux it would be the priority of the whole process.
if (job.type === 'backup' && process.platform === 'linux') {
  setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}
main();
