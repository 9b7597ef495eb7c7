import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Progress } from '@cluster-backup/engine';
import { FromEngine, Job, MadeBackup, Outcome, ToEngine, wipe } from './Job';

const ENTRY = require.resolve(
  '@cluster-backup/backstage-plugin-cluster-backup-backend/engineProcess',
);
/** From sources the process needs what makes JavaScript of them; whoever started this one has it. */
const execArgv = ENTRY.endsWith('.ts')
  ? ['--require', require.resolve('@backstage/cli/config/nodeTransform.cjs')]
  : [];

/** A job under way. */
export interface RunningEngine {
  /** Rejects when the process goes before it has told what came of the job. */
  outcome: Promise<Outcome>;
  cancel(): void;
  /** Ends it at once. */
  kill(): Promise<void>;
}

/** A process went without a word. */
export class EngineEndedError extends Error {
  constructor(how: number | string | null) {
    super(`The process of an operation ended with ${how}.`);
    this.name = 'EngineEndedError';
  }
}

/** Starts a job in a process of its own; the file key in it is wiped when it was handed over. */
export function startEngine(
  job: Job,
  told: {
    progress: Progress;
    /** It made a backup besides what it is for. */
    made?: (backup: MadeBackup) => void;
    defect: (stack: string) => void;
  },
): RunningEngine {
  // In a session of its own Ctrl-C is not for it, and neither is the portal's share of the processors.
  const child = fork(ENTRY, [], {
    execArgv,
    serialization: 'advanced',
    detached: true,
  });
  const exited = once(child, 'exit').catch(() => {});
  const say = (message: ToEngine, said = () => {}) => {
    // One that is gone has said so already.
    if (child.connected) child.send(message, said);
    else said();
  };
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('message', (message: FromEngine) => {
      if ('progress' in message) told.progress(message.progress);
      else if ('made' in message) told.made?.(message.made);
      else if ('defect' in message) told.defect(message.defect);
      else if ('outcome' in message) resolve(message.outcome);
      // What makes JavaScript of sources speaks here as well.
    });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      reject(new EngineEndedError(signal ?? code)),
    );
  });
  // Who kills it may not be waiting for it.
  outcome.catch(() => {});
  // The key of an archive is the engine's from now on.
  say({ job }, () => wipe(job));
  return {
    outcome,
    cancel: () => say({ cancel: true }),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
