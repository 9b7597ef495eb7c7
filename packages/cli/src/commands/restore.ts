import {
  ArchiveSource,
  assessCluster,
  ClusterAccess,
  ClusterBackupError,
  Configuration,
  Finding,
  restoreCluster,
  RestoreResult,
  resumeRestore,
  undoRestore,
  whatNext,
} from '@cluster-backup/engine';
import { ArchiveOptions, archiveSource } from '../archiveSource';
import { confirmedArchive } from '../origin';
import { readConfigurationFile } from '../configuration';
import { tellManaged } from '../managedClusters';
import { conclude, tell, tellFindings } from '../terminal';
import { takeBackup } from './takeBackup';

interface ClusterOptions {
  cluster: string;
  config: string;
}

type RestoreOptions = ClusterOptions &
  ArchiveOptions & { confirmDigest?: string };

export function restore(
  options: RestoreOptions & {
    dryRun?: boolean;
    withFiles?: boolean;
    leaveOut?: string[];
  },
) {
  const { dryRun, withFiles, leaveOut } = options;
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const cluster = configuration.cluster(options.cluster);
    const named = await archiveSource(configuration, options);
    await tellManaged(cluster, named.summary, signal);
    await tellAdvice(cluster, signal);
    const result = await restoreCluster({
      cluster,
      archive: await confirmedArchive(named, options.confirmDigest, signal),
      dryRun,
      withFiles,
      leaveOut,
      safetyBackup: (reached, told) =>
        takeBackup(
          configuration,
          { name: options.cluster, cluster: reached },
          { ...told, occasion: 'before-restore', withoutQuorum: true },
        ),
      progress: tell(),
      signal,
    });
    tellFindings(result.reservations);
    return dryRun
      ? result
      : { ...result, next: await tellNext(cluster, result, named) };
  });
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
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const cluster = configuration.cluster(options.cluster);
    const archive =
      options.backupFile || options.backup
        ? await archiveToRestore(configuration, options, signal)
        : undefined;
    const result = await resumeRestore({
      cluster,
      archive,
      progress: tell(),
      signal,
    });
    tellFindings(result.reservations);
    return { ...result, next: await tellNext(cluster, result, archive) };
  });
}

export function undo(options: ClusterOptions & ArchiveOptions) {
  return conclude(async () => {
    const configuration = readConfigurationFile(options.config);
    return undoRestore({
      cluster: configuration.cluster(options.cluster),
      // Nothing of it is put back: it only tells how the machines are reached.
      archive:
        options.backupFile || options.backup
          ? await archiveSource(configuration, options)
          : undefined,
      progress: tell(),
    });
  });
}

async function archiveToRestore(
  configuration: Configuration,
  options: RestoreOptions,
  signal: AbortSignal,
): Promise<ArchiveSource> {
  const archive = await archiveSource(configuration, options);
  return confirmedArchive(archive, options.confirmDigest, signal);
}
