import { createPrivateKey } from 'node:crypto';
import {
  backupCluster,
  BackupOptions,
  checkCluster,
  ClusterAccess,
  connectCluster,
  Copy,
  findUnfinishedRestore,
  lastBackupUnread,
  Progress,
  restoreCluster,
  RestoreResult,
  restoresOnRecord,
  resumeRestore,
  undoRestore,
  whatNext,
} from '@cluster-backup/engine';
import { foreseen } from './fault';
import {
  ArchiveToOpen,
  BackupJob,
  CheckJob,
  FoundCopy,
  Job,
  MadeBackup,
  Outcome,
  RememberedRestore,
  Unfinished,
} from './Job';
import { openStore } from './openStore';
import { lookAtObjects } from './objects';
import { sourceOf } from './sourceOf';
import { tendStore } from './tendStore';
import { verifyCopies } from './verifyCopies';

/** Does what a job says, with the engine. */
export async function performJob(
  job: Job,
  told: {
    progress: Progress;
    signal: AbortSignal;
    made(backup: MadeBackup): Promise<void>;
  },
): Promise<Outcome> {
  const { progress, signal } = told;
  switch (job.type) {
    case 'check':
      return { type: 'checked', findings: await check(job, told) };
    case 'backup':
      return { type: 'backed-up', ...(await backUp(job, told)) };
    case 'restore': {
      const archive = sourceOf(job.archive);
      const { safety } = job;
      const restored = await restoreCluster({
        progress,
        signal,
        cluster: job.cluster,
        archive,
        withFiles: job.withFiles,
        leaveOut: job.leaveOut,
        overrides: job.overrides,
        reason: job.reason,
        origin: job.origin,
        safetyBackup:
          safety &&
          (async (cluster, meanwhile) => {
            const made = await backUp(
              { ...safety, cluster, withoutQuorum: true },
              meanwhile,
              'before-restore',
            );
            await told.made(made);
            return made;
          }),
      });
      return ended(job, restored, progress);
    }
    case 'resume': {
      const archive = job.archive && sourceOf(job.archive);
      const restored = await resumeRestore({
        progress,
        signal,
        cluster: job.cluster,
        archive,
      });
      return ended(job, restored, progress);
    }
    case 'undo':
      await undoRestore({
        cluster: job.cluster,
        archive: job.archive && sourceOf(job.archive),
        progress: told.progress,
      });
      return { type: 'undone' };
    case 'verify':
      return { type: 'verified', copies: await verifyCopies(job, told) };
    case 'tend':
      return { type: 'tended', ...(await tendStore(job, told)) };
    case 'objects':
      return lookAtObjects(job, signal);
    case 'look':
      return lookAgain(job);
    case 'recall':
      return { type: 'recalled', ...(await recall(job.cluster, signal)) };
    default:
      throw new Error(`No such job: ${(job satisfies never as Job).type}`);
  }
}

/** Over, with what is left to do; that this cannot be found out makes no restore fail. */
async function ended(
  { cluster, archive }: { cluster: ClusterAccess; archive?: ArchiveToOpen },
  { plan, outageSeconds, reservations }: RestoreResult,
  progress: Progress,
): Promise<Outcome> {
  const title = 'Look at what is left to do';
  const told = { type: 'step', step: 'what-next', title } as const;
  progress({ ...told, status: 'started' });
  const next = await whatNext({
    cluster,
    plan,
    archive: archive && sourceOf(archive),
  }).catch(error => {
    const why = (error as Error).message;
    const message = `What is left to do could not be found out: ${why}`;
    progress({ type: 'note', step: told.step, message });
    return [];
  });
  progress({ ...told, status: 'done' });
  return {
    type: 'restored',
    outageSeconds,
    findings: [...reservations, ...next],
  };
}

async function backUp(
  job: BackupJob,
  told: { progress: Progress; signal: AbortSignal },
  occasion?: BackupOptions['occasion'],
): Promise<MadeBackup> {
  const { key, summary, copies } = await backupCluster({
    ...told,
    occasion,
    cluster: job.cluster,
    folder: job.folder,
    name: job.name,
    withoutQuorum: job.withoutQuorum,
    reason: job.reason,
    stores: job.stores.map(store => ({
      id: store.id,
      open: () => openStore(store),
      spool: store.spool,
    })),
    ...job.packing,
    proveContents: true,
    signingKey: createPrivateKey(job.signingKey),
  });
  return { key, summary, copies: copies.map(written) };
}

function written({ store, problem, lockedUntil }: Copy): FoundCopy {
  return problem
    ? { store, state: 'missing', fault: foreseen(problem) }
    : { store, state: 'good', lockedUntil: lockedUntil?.toISOString() };
}

/** What the machines' journals say of a restore. */
export async function look(job: {
  cluster: ClusterAccess;
  archive?: ArchiveToOpen;
}): Promise<Unfinished> {
  try {
    const archive = job.archive && sourceOf(job.archive);
    const found = await findUnfinishedRestore(job.cluster, archive);
    if (!found) return 'none';
    const { onlyForward, needsArchive } = found;
    return { onlyForward, needsArchive: needsArchive };
  } catch {
    return 'unknown';
  }
}

/** What became of a restore, also where somebody else has ended it. */
async function lookAgain(job: {
  cluster: ClusterAccess;
  operationId: string;
}): Promise<Outcome> {
  const unfinished = await look(job);
  if (unfinished !== 'none') return { type: 'looked', unfinished };
  return { type: 'looked', unfinished, ended: await howEnded(job) };
}

/** How a restore ended, where the machines remember it. */
async function howEnded(job: { cluster: ClusterAccess; operationId: string }) {
  const { restores } = await restoresOnRecord(job.cluster).catch(error => {
    if (foreseen(error)) return { restores: [] };
    throw error;
  });
  const found = restores.find(({ origin }) => origin?.id === job.operationId);
  return found?.outcome === 'unfinished' ? undefined : found?.outcome;
}

/** All restores that the machines remember. */
async function recall(cluster: ClusterAccess, signal: AbortSignal) {
  const { restores, unread } = await restoresOnRecord(cluster, { signal });
  const remembered: RememberedRestore[] = [];
  for (const restore of restores) {
    const unfinished =
      restore.outcome === 'unfinished' ? await look({ cluster }) : 'none';
    remembered.push({
      ...restore,
      heldUp: typeof unfinished === 'object' ? unfinished : undefined,
    });
  }
  return { restores: remembered, unread: unread.map(({ machine }) => machine) };
}

async function check(
  { cluster: access, lastBackup }: CheckJob,
  told: { progress: Progress; signal: AbortSignal },
) {
  const cluster = await connectCluster(access, { signal: told.signal });
  try {
    const isTold = lastBackup && 'description' in lastBackup;
    const { findings } = await checkCluster(cluster, {
      purpose: 'look',
      lastBackup: isTold ? lastBackup.description : undefined,
      ...told,
    });
    return !lastBackup || isTold
      ? findings
      : [...findings, lastBackupUnread(lastBackup.fault)];
  } finally {
    await cluster.close();
  }
}
