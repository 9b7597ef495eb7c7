import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  archiveForm,
  ArchiveKeys,
  ArchiveSource,
  ArchiveSummary,
  cancelled,
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
  /** Where an archive from standard input lies meanwhile: the system's usual place, or a directory. */
  useDisk?: boolean | string;
}

/** The archive comes from standard input. */
const STANDARD_INPUT = '-';

/** An archive, and its summary where there is one. */
export interface NamedArchive extends ArchiveSource {
  summary?: ArchiveSummary;
}

/**
 * Works with the archive that a command names. Its summary is proven; whose it must be only where any signer is
 * trusted.
 *
 * An archive is read more than once, so that one from standard input lies on the disk meanwhile, as it is.
 */
export async function withArchive<T>(
  configuration: Configuration,
  options: ArchiveOptions,
  signal: AbortSignal,
  act: (archive: NamedArchive) => Promise<T>,
): Promise<T> {
  const { backupFile, useDisk } = options;
  if (backupFile !== STANDARD_INPUT) {
    return act(await archiveSource(configuration, options));
  }
  const place = typeof useDisk === 'string' ? useDisk : tmpdir();
  const folder = await mkdtemp(join(place, 'cluster-backup-input-')).catch(
    error => {
      throw inputNotKept(place, error);
    },
  );
  try {
    const file = join(folder, 'archive');
    await keepInput(file, signal);
    return await act(
      await archiveSource(configuration, { ...options, backupFile: file }),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same, where an archive may be named and need not be. */
export async function withNamedArchive<T>(
  configuration: Configuration,
  options: ArchiveOptions,
  signal: AbortSignal,
  act: (archive: NamedArchive | undefined) => Promise<T>,
): Promise<T> {
  return options.backupFile || options.backup
    ? withArchive(configuration, options, signal, act)
    : act(undefined);
}

async function keepInput(file: string, signal: AbortSignal) {
  try {
    const written = createWriteStream(file, { flags: 'wx', mode: 0o600 });
    await pipeline(process.stdin, written, { signal });
  } catch (error) {
    if (signal.aborted) throw cancelled(NOTHING_CHANGED);
    throw inputNotKept(dirname(file), error);
  }
}

function inputNotKept(place: string, error: unknown) {
  return new ClusterBackupError({
    code: 'input-not-kept',
    message: `The archive on standard input cannot be kept in ${place}: ${
      (error as Error).message
    }.`,
    state: NOTHING_CHANGED,
    remedy:
      'It is read more than once. Name a directory with room for it (--use-disk DIRECTORY), or give it as a file.',
    details: { place },
  });
}

/**
 * The summary of the archive that a command names, and who is trusted; takes no key.
 *
 * @throws ClusterBackupError `summary-missing`, and those of reading it
 */
export async function namedSummary(
  configuration: Configuration,
  options: ArchiveOptions,
): Promise<{ summary: ArchiveSummary; trustedSigners: string[] }> {
  const { backupFile, backup } = options;
  const { trustedSigners, trusted } = await signers(configuration, options);
  if (backupFile) {
    const summary = await summaryBeside(backupFile, trusted);
    if (summary) return { summary, trustedSigners };
    throw summaryMissing(backupFile);
  }
  if (!backup) throw argumentsMissing('An archive is needed.');
  const store = await openStore(configuration.store(options.store));
  const { summary } = await readSummary(store, backup, trusted);
  return { summary, trustedSigners };
}

async function archiveSource(
  configuration: Configuration,
  options: ArchiveOptions,
): Promise<NamedArchive> {
  const { backupFile, backup } = options;
  const { expireAfterDays } = configuration;
  const { trustedSigners, trusted } = await signers(configuration, options);
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

/** Who may have signed; anybody where nobody is named. */
async function signers(
  configuration: Configuration,
  { signer }: ArchiveOptions,
): Promise<{ trustedSigners: string[]; trusted?: string[] }> {
  const configured = await configuration.trustedSigners();
  const trustedSigners = [...configured, ...(signer ? [signer] : [])];
  return {
    trustedSigners,
    trusted: trustedSigners.length ? trustedSigners : undefined,
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
    throw argumentsMissing(
      'An archive and the identity that opens it are needed.',
    );
  }
  return identity ? { identities: identitiesIn(identity) } : undefined;
}

function argumentsMissing(message: string) {
  return new ClusterBackupError({
    code: 'arguments-missing',
    message,
    state: NOTHING_CHANGED,
    remedy:
      'Give --backup-file FILE, or --backup KEY of the store, and to open it --identity FILE unless its name says that it is not encrypted (.tar.gz, .tar.zst).',
  });
}

function summaryMissing(file: string) {
  return new ClusterBackupError({
    code: 'summary-missing',
    message: `There is no ${summaryName(file)}.`,
    state: NOTHING_CHANGED,
    remedy:
      'It lies beside the archive in every store: bring it along. Without it, verify reads the archive itself (--identity).',
    details: { file },
  });
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
