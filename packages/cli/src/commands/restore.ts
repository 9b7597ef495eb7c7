import {
  restoreCluster,
  resumeRestore,
  undoRestore,
} from '@cluster-backup/engine';
import { ArchiveOptions, archiveSource } from '../archiveSource';
import { readConfigurationFile } from '../configuration';
import { conclude, tell, tellFindings } from '../terminal';

interface ClusterOptions {
  cluster: string;
  config: string;
}

export function restore(
  options: ClusterOptions & ArchiveOptions & { dryRun?: boolean },
) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const result = await restoreCluster({
      cluster: configuration.cluster(options.cluster),
      archive: await archiveSource(configuration, options),
      dryRun: options.dryRun,
      progress: tell(),
      signal,
    });
    tellFindings(result.reservations);
    return result;
  });
}

export function resume(options: ClusterOptions & ArchiveOptions) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    return resumeRestore({
      cluster: configuration.cluster(options.cluster),
      archive:
        options.backupFile || options.backup
          ? await archiveSource(configuration, options)
          : undefined,
      progress: tell(),
      signal,
    });
  });
}

export function undo(options: ClusterOptions) {
  return conclude(async () =>
    undoRestore({
      cluster: readConfigurationFile(options.config).cluster(options.cluster),
      progress: tell(),
    }),
  );
}
