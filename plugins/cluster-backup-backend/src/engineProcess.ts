import { readdirSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { collectYoungGarbage, NOTHING_CHANGED } from '@cluster-backup/engine';
import { foreseen, notForeseen, stateAfter } from './operations/fault';
import { FromEngine, isRestore, Job, ToEngine, wipe } from './operations/Job';
import { look, performJob } from './operations/performJob';

/*
 * The entry of the process that an operation runs in, so that the portal's event loop stays free of it. It may be
 * killed at any moment: a backup keeps nothing in the store then, a restore has its journals on the machines. It goes
 * when the portal goes.
 */

/** Between "below normal" and "low": it waits for the portal, and does not starve. */
const NICE = 15;

const cancel = new AbortController();

const CANCELLED = {
  code: 'cancelled',
  message: 'The operation was cancelled.',
  state: NOTHING_CHANGED,
  remedy: 'Start it again when you want it.',
};

async function main(job: Job) {
  // The portal goes before a backup, and not before a restore, which makes an outage longer when it waits.
  if (job.type === 'backup') standBack();
  try {
    const outcome = await performJob(job, {
      progress: progress => void say({ progress }),
      made: made => say({ made }),
      signal: cancel.signal,
    });
    await say({ outcome });
  } catch (error) {
    await say({ outcome: await failure(job, error) });
  } finally {
    wipe(job);
  }
  process.disconnect();
}

async function failure(job: Job, error: unknown) {
  const unfinished = isRestore(job) ? await look(job) : 'unknown';
  const fault =
    foreseen(error) ?? (cancel.signal.aborted ? CANCELLED : undefined);
  if (fault) return { type: 'failed', fault, unfinished } as const;
  await say({ defect: (error as Error)?.stack ?? String(error) });
  return {
    type: 'failed',
    fault: notForeseen(stateAfter(job)),
    unfinished,
  } as const;
}

/**
 * A priority is a thread's on Linux, and Node.js has several by now. Where the kernel shares processors out by sessions,
 * it holds within the session, and the session has one of its own (sched(7), "The autogroup feature").
 */
function standBack() {
  const isLinux = process.platform === 'linux';
  const threads = isLinux ? readdirSync('/proc/self/task') : [0];
  for (const thread of threads) setPriority(Number(thread), NICE);
  if (!isLinux) return;
  try {
    writeFileSync('/proc/self/autogroup', `${NICE}`);
  } catch {
    // Such a kernel has none.
  }
}

/** Resolves when it has left this process, or when nobody listens any more. */
async function say(message: FromEngine) {
  await new Promise(resolve => process.send!(message, resolve));
}

collectYoungGarbage();
// A terminal and systemd tell all processes at once to end; what becomes of this one is the portal's to say.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit());
process.on('message', (message: ToEngine) => {
  if ('job' in message) main(message.job);
  else cancel.abort();
});
