import { basename, resolve } from 'node:path';
import {
  chosenArchiveName,
  ClusterBackupError,
  Configuration,
  formOf,
  NOTHING_CHANGED,
  openFileStore,
} from '@cluster-backup/engine';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import { writtenReason } from '../reason';
import {
  conclude,
  mib,
  OutputOptions,
  tell,
  tellCopies,
  tellFindings,
} from '../terminal';
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
  options: Destination &
    ClusterOptions &
    OutputOptions & {
      prove?: boolean;
      withoutQuorum?: boolean;
      reason?: string;
      kept?: string;
    },
) {
  return conclude(options, async signal => {
    const reason = writtenReason(options.reason);
    if (options.withoutQuorum && !reason?.text.trim()) {
      throw new ClusterBackupError({
        code: 'reason-missing',
        message: 'A backup without a quorum takes a written reason.',
        state: `${NOTHING_CHANGED} No backup was taken.`,
        remedy: 'Say with --reason TEXT why; it is kept with the backup.',
      });
    }
    const configuration = configurationFor(options);
    const { cluster: name, backupFile, prove, withoutQuorum, kept } = options;
    const { key, summary, reservations, copies } = await takeBackup(
      configuration,
      { name, cluster: await clusterFor(configuration, options) },
      {
        ...destination(configuration, name, options),
        proveContents: prove,
        withoutQuorum,
        reason,
        kept,
        progress: tell(),
        signal,
      },
    );
    tellFindings(reservations);
    tellCopies(copies);
    const place =
      backupFile === undefined ? { key } : { file: resolve(backupFile) };
    const stored = copies.filter(({ problem }) => !problem);
    const { facts, ciphertext } = summary;
    return {
      words: `${place.file ?? place.key}
Backed up ${name} at revision ${facts.revision}: ${mib(ciphertext.size)}${
        place.key ? ` in ${stored.map(({ store }) => store).join(' and ')}` : ''
      }.
SHA-256 ${ciphertext.sha256}
`,
      facts: { ...place, summary, copies },
    };
  });
}

/** Where the archive goes, and under which name. */
function destination(
  configuration: Configuration,
  cluster: string,
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
    stores: configuredStores(configuration, cluster, store).map(each => ({
      ...each,
      ...throughDisk,
    })),
  };
}
