import { Worker } from 'node:worker_threads';
import { Progress } from '@cluster-backup/engine';
import { FromThread, Job, Outcome, ToThread } from './Job';

const ENTRY = require.resolve(
  '@cluster-backup/backstage-plugin-cluster-backup-backend/engineThread',
);
/** From sources the thread needs what makes JavaScript of them; whoever started this process has it. */
const execArgv = ENTRY.endsWith('.ts')
  ? ['--require', require.resolve('@backstage/cli/config/nodeTransform.cjs')]
  : undefined;

/** A job under way. */
export interface Thread {
  /** Rejects when the thread goes before it has told what came of the job. */
  outcome: Promise<Outcome>;
  cancel(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** A thread went without a word. */
export class ThreadEndedError extends Error {
  constructor(code: number) {
    super(`The thread of an operation ended with code ${code}.`);
    this.name = 'ThreadEndedError';
  }
}

/** Starts a job in a thread of its own. */
export function startThread(
  job: Job,
  told: { progress: Progress; defect: (stack: string) => void },
): Thread {
  const worker = new Worker(ENTRY, {
    workerData: job,
    execArgv,
    // Bytes that stream by are young garbage: room for more of it makes V8 collect all of the heap, again and again.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  const outcome = new Promise<Outcome>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if ('progress' in message) told.progress(message.progress);
      else if ('defect' in message) told.defect(message.defect);
      else resolve(message.outcome);
    });
    worker.on('error', reject);
    worker.on('exit', code => reject(new ThreadEndedError(code)));
  });
  // Who kills it may not be waiting for it.
  outcome.catch(() => {});
  return {
    outcome,
    cancel: () => worker.postMessage('cancel' satisfies ToThread),
    async kill() {
      await worker.terminate();
    },
  };
}
