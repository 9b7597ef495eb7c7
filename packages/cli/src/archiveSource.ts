import { existsSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import {
  archiveForm,
  ArchiveKeys,
  ArchiveSource,
  ArchiveSummary,
  ClusterBackupError,
  Configuration,
  NOTHING_CHANGED,
  parseArchiveName,
  parseIdentities,
  readSummary,
  refuseMisplaced,
  summaryName,
  verifySummary,
} from '@cluster-backup/engine';
import { openStore } from './configuration';

/** Options that name an archive and what opens it. */
export interface ArchiveOptions {
  backupFile?: string;
  backup?: string;
  store?: string;
  identity?: string;
  signer?: string;
}

/** An archive, and its summary where there is one. */
export interface NamedArchive extends ArchiveSource {
  summary?: ArchiveSummary;
}

/** The archive that a command names. Its summary is proven; whose it must be only where any signer is trusted. */
export async function archiveSource(
  configuration: Configuration,
  options: ArchiveOptions,
): Promise<NamedArchive> {
  const { backupFile, backup } = options;
  const { expireAfterDays } = configuration;
  const trustedSigners = [
    ...(await configuration.trustedSigners()),
    ...(options.signer ? [options.signer] : []),
  ];
  const trusted = trustedSigners.length ? trustedSigners : undefined;
  const key = keyTo(backupFile ?? backup, options.identity);
  if (backupFile) {
    const summary = await summaryBeside(backupFile, trusted);
    return {
      open: signal => openFile(backupFile, signal),
      sha256: summary?.ciphertext.sha256,
      key,
      trustedSigners,
      expireAfterDays,
      summary,
    };
  }
  const store = await openStore(configuration.store(options.store));
  const { summary } = await readSummary(store, backup!, trusted);
  return {
    open: signal => store.get(backup!, { signal }),
    sha256: summary.ciphertext.sha256,
    key,
    trustedSigners,
    expireAfterDays,
    summary,
  };
}

async function summaryBeside(
  file: string,
  trusted: string[] | undefined,
): Promise<ArchiveSummary | undefined> {
  if (!existsSync(summaryName(file))) return undefined;
  const summary = verifySummary(await readFile(summaryName(file)), trusted);
  // Who renames a file knows what it is; one that has an archive's name must be that archive.
  if (parseArchiveName(basename(file))) {
    refuseMisplaced(`folder ${dirname(file)}`, basename(file), summary);
  }
  return summary;
}

/** What opens an archive; whether one without identity needs any is told by its name, or else by itself. */
function keyTo(archive?: string, identity?: string): ArchiveKeys | undefined {
  const isEncrypted = archive && archiveForm(archive)?.encrypted;
  if (!archive || (isEncrypted && !identity)) {
    throw new ClusterBackupError({
      code: 'arguments-missing',
      message: 'An archive and the identity that opens it are needed.',
      state: NOTHING_CHANGED,
      remedy:
        'Give --backup-file FILE, or --backup KEY of the store, and --identity FILE unless its name says that it is not encrypted (.tar.gz, .tar.zst).',
    });
  }
  return identity ? { identities: identitiesIn(identity) } : undefined;
}

function identitiesIn(file: string): string[] {
  try {
    return parseIdentities(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof ClusterBackupError) throw error;
    throw unreadable(
      'identity-unreadable',
      file,
      error,
      'Give the file that cluster-backup keygen or age-keygen made, with the line AGE-SECRET-KEY-1...',
    );
  }
}

/** Opened before anything is begun with it, so that a wrong path is told as such. */
async function openFile(file: string, signal: AbortSignal) {
  try {
    const handle = await open(file);
    return handle.createReadStream({ signal, highWaterMark: 1 << 20 });
  } catch (error) {
    throw unreadable(
      'archive-unreadable',
      file,
      error,
      'Give the path of an archive, such as NAME_backup_TIME.tar.gz.age.',
    );
  }
}

function unreadable(
  code: string,
  file: string,
  error: unknown,
  remedy: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code,
    message: `${file} cannot be read: ${
      (error as NodeJS.ErrnoException).code
    }.`,
    state: NOTHING_CHANGED,
    remedy,
    details: { file },
  });
}
