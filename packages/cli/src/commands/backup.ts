import { basename, resolve } from 'node:path';
import {
  chosenArchiveName,
  Configuration,
  formOf,
  openFileStore,
} from '@cluster-backup/engine';
import { readConfigurationFile } from '../configuration';
import { conclude, tell, tellCopies, tellFindings } from '../terminal';
import { configuredStores, takeBackup } from './takeBackup';

interface Destination {
  /** Ids of stores. */
  store?: string[];
  name?: string;
  backupFile?: string;
  /** True, or a directory. */
  useDisk?: boolean | string;
}

export function backup(
  options: Destination & {
    cluster: string;
    config: string;
    prove?: boolean;
    withoutQuorum?: boolean;
    kept?: string;
  },
) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const { cluster: name, backupFile, prove, withoutQuorum, kept } = options;
    const { key, summary, reservations, copies } = await takeBackup(
      configuration,
      { name, cluster: configuration.cluster(name) },
      {
        ...destination(configuration, options),
        proveContents: prove,
        withoutQuorum,
        kept,
        progress: tell(),
        signal,
      },
    );
    tellFindings(reservations);
    tellCopies(copies);
    return {
      ...(backupFile === undefined ? { key } : { file: resolve(backupFile) }),
      summary,
      copies,
    };
  });
}

/** Where the archive goes, and under which name. */
function destination(
  configuration: Configuration,
  { store, name, backupFile, useDisk }: Destination,
) {
  const spool =
    typeof useDisk === 'string' ? { directory: resolve(useDisk) } : {};
  const throughDisk = useDisk ? { spool } : {};
  if (backupFile !== undefined) {
    const path = resolve(backupFile);
    return {
      name: basename(path),
      stores: [{ id: path, open: () => openFileStore(path), ...throughDisk }],
    };
  }
  return {
    name: name && chosenArchiveName(name, formOf(configuration.packing())),
    stores: configuredStores(configuration, store).map(each => ({
      ...each,
      ...throughDisk,
    })),
  };
}
