import { dirname } from 'node:path';
import {
  ArchiveSource,
  assessCluster,
  ClusterAccess,
  ClusterBackupError,
  Configuration,
  decisionOf,
  Finding,
  NOTHING_CHANGED,
  restoreCluster,
  RestoreResult,
  resumeRestore,
  undoRestore,
  whatNext,
} from '@cluster-backup/engine';
import {
  ArchiveOptions,
  NamedArchive,
  withArchive,
  withNamedArchive,
} from '../archiveSource';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import { tellManaged } from '../managedClusters';
import { confirmedArchive, OriginOptions } from '../origin';
import { canAsk, question } from '../question';
import { whoRuns, writtenReason } from '../reason';
import { conclude, OutputOptions, tell, tellFindings, Told } from '../terminal';
import { storingBeside } from './storingBeside';
import { takeBackup } from './takeBackup';

type RestoreOptions = ClusterOptions &
  ArchiveOptions &
  OriginOptions &
  OutputOptions;

export function restore(
  options: RestoreOptions & {
    yes?: boolean;
    dryRun?: boolean;
    withFiles?: boolean;
    leaveOut?: string[];
    override?: string[];
    reason?: string;
  },
) {
  const { dryRun } = options;
  return conclude(options, async signal => {
    const decided = {
      withFiles: options.withFiles,
      leaveOut: options.leaveOut,
      overrides: options.override,
      reason: writtenReason(options.reason),
    };
    // Before anything is asked of the machines.
    decisionOf(decided);
    const configuration = configurationFor(options);
    return withArchive(configuration, options, signal, async named => {
      const cluster = await clusterFor(configuration, options, named, signal);
      await tellManaged(cluster, named.summary, signal);
      await tellAdvice(cluster, signal);
      const archive = await confirmedArchive(named, options, signal);
      if (!dryRun) await confirm(options);
      const result = await restoreCluster({
        cluster,
        archive,
        dryRun,
        ...decided,
        origin: { by: whoRuns() },
        safetyBackup: async (reached, told) =>
          takeBackup(
            await safetyConfiguration(configuration, options, named),
            { name: options.cluster, cluster: reached },
            { ...told, occasion: 'before-restore', withoutQuorum: true },
          ),
        progress: tell(),
        signal,
      });
      tellFindings(result.reservations);
      return dryRun
        ? {
            words: `Everything up to the commit was done and taken back: ${cluster.name} could be restored.\n`,
            facts: result,
          }
        : restored(cluster, result, named);
    });
  });
}

/** Where nobody has configured a place for backups, what is replaced goes beside the archive that replaces it. */
async function safetyConfiguration(
  configuration: Configuration,
  { backupFile, cluster }: RestoreOptions,
  { key }: NamedArchive,
): Promise<Configuration> {
  if (configuration.recipients.length || configuration.stores.length) {
    return configuration;
  }
  const folder = backupFile && backupFile !== '-' ? dirname(backupFile) : '.';
  return storingBeside(folder, cluster, key);
}

/** A cluster is not replaced by a slip of the finger. */
async function confirm({ cluster, yes }: { cluster: string; yes?: boolean }) {
  if (yes) return;
  const isThere = canAsk();
  const typed = isThere
    ? await question(
        `All that etcd of ${cluster} holds now is replaced, and its API is away meanwhile.\nType ${cluster} to go on: `,
      )
    : undefined;
  if (typed === cluster) return;
  throw new ClusterBackupError({
    code: 'restore-not-confirmed',
    message: isThere
      ? `What was typed is not the name of the cluster, ${cluster}.`
      : `Nobody has confirmed that ${cluster} is to be restored, and there is no terminal to ask at.`,
    state: NOTHING_CHANGED,
    remedy: isThere
      ? `Begin again, and type ${cluster}.`
      : 'Add --yes when it is meant; --dry-run does everything up to the commit.',
  });
}

async function restored(
  cluster: ClusterAccess,
  result: RestoreResult,
  archive?: ArchiveSource,
): Promise<Told> {
  const next = await tellNext(cluster, result, archive);
  const { operation, outageSeconds, kept } = result;
  return {
    words: `${cluster.name} is restored; its API was away for ${Math.round(
      outageSeconds,
    )} s.
What was replaced is kept${kept
      .map(({ machine, path }) => `\n  ${machine}: ${path}`)
      .join(
        '',
      )}\nuntil it is removed: cluster-backup accept --restore ${operation}\n`,
    facts: { ...result, next },
  };
}

/** What is left to do, when a restore is over; that it cannot be found out does not make the restore fail. */
async function tellNext(
  cluster: ClusterAccess,
  { plan }: RestoreResult,
  archive?: ArchiveSource,
): Promise<Finding[]> {
  try {
    const next = await whatNext({ cluster, plan, archive });
    process.stderr.write('What is left to do:\n');
    tellFindings(next);
    return next;
  } catch (error) {
    if (!(error instanceof ClusterBackupError)) throw error;
    process.stderr.write(
      `What is left to do could not be found out: ${error.message}\n`,
    );
    return [];
  }
}

/** Whoever restores should know what takes less. It keeps nobody from it, least of all where nothing can be looked at. */
async function tellAdvice(cluster: ClusterAccess, signal: AbortSignal) {
  try {
    const { message, remedy } = await assessCluster(cluster, { signal });
    process.stderr.write(`${message}\n  ${remedy}\n`);
  } catch (error) {
    // That it was stopped the restore tells.
    if (signal.aborted) return;
    if (!(error instanceof ClusterBackupError)) throw error;
    process.stderr.write(
      `What is left of ${cluster.name} could not be looked at: ${error.message}\n`,
    );
  }
}

export function resume(options: RestoreOptions) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    return withNamedArchive(configuration, options, signal, async named => {
      const cluster = await clusterFor(configuration, options, named, signal);
      const archive = named && (await confirmedArchive(named, options, signal));
      const result = await resumeRestore({
        cluster,
        archive,
        progress: tell(),
        signal,
      });
      tellFindings(result.reservations);
      return restored(cluster, result, archive);
    });
  });
}

export function undo(options: RestoreOptions) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    return withNamedArchive(configuration, options, signal, async archive => {
      const cluster = await clusterFor(configuration, options, archive, signal);
      // Nothing of the archive is put back: it only tells how the machines are reached.
      const undone = await undoRestore({ cluster, archive, progress: tell() });
      return {
        words: `${undone.operation} was taken back: ${cluster.name} is as it was before it.\n`,
        facts: undone,
      };
    });
  });
}
