import {
  BackupStore,
  ClusterBackupError,
  copyBackup,
  Progress,
  verifyCopy,
} from '@cluster-backup/engine';
import { foreseen } from './fault';
import { FoundCopy, Job } from './Job';
import { openStore } from './openStore';

type VerifyJob = Extract<Job, { type: 'verify' }>;
type Told = { progress: Progress; signal: AbortSignal };

/** Reads every copy of a backup, one after the other, and makes those that are missing from one that is good. */
export async function verifyCopies(
  job: VerifyJob,
  told: Told,
): Promise<FoundCopy[]> {
  const { key, trustedSigners } = job;
  const opened = new Map<string, BackupStore>();
  const copies: FoundCopy[] = [];
  for (const configured of job.stores) {
    const { id } = configured;
    const read = async () => {
      const store = await openStore(configured);
      opened.set(id, store);
      await verifyCopy({ store, key, trustedSigners, signal: told.signal });
    };
    copies.push(await step(told, id, `Read the copy in ${id}`, read));
  }
  const good = copies.find(({ state }) => state === 'good');
  if (!good) return copies;
  const from = opened.get(good.store)!;
  return Promise.all(
    copies.map(async copy => {
      const { store: id, state } = copy;
      const to = opened.get(id);
      if (state !== 'missing' || !to) return copy;
      return step(told, id, `Copy from ${from.id} to ${id}`, () =>
        copyBackup({ from, to, key, trustedSigners, signal: told.signal }),
      );
    }),
  );
}

async function step(
  { progress, signal }: Told,
  store: string,
  title: string,
  act: () => Promise<{ lockedUntil?: Date } | void>,
): Promise<FoundCopy> {
  const named = { type: 'step', step: title, title } as const;
  progress({ ...named, status: 'started' });
  try {
    const lockedUntil = (await act())?.lockedUntil?.toISOString();
    progress({ ...named, status: 'done' });
    return { store, state: 'good', lockedUntil };
  } catch (error) {
    signal.throwIfAborted();
    const fault = foreseen(error);
    if (!fault) throw error;
    progress({ type: 'note', message: fault.message });
    return { store, state: stateAfter(error as ClusterBackupError), fault };
  }
}

function stateAfter({ code }: ClusterBackupError): FoundCopy['state'] {
  if (code === 'store-file-missing') return 'missing';
  return /^(copy|summary|archive)-/.test(code) ? 'damaged' : 'unknown';
}
