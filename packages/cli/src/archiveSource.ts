import { existsSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import {
  ArchiveSource,
  ClusterBackupError,
  Configuration,
  NOTHING_CHANGED,
  parseIdentities,
  readSummary,
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

/** The archive that a command names, with its summary checked where there is one. */
export async function archiveSource(
  configuration: Configuration,
  options: ArchiveOptions,
): Promise<ArchiveSource> {
  const { backupFile, backup, identity } = options;
  if (!identity || !(backupFile ?? backup)) {
    throw new ClusterBackupError({
      code: 'arguments-missing',
      message: 'An archive and the identity that opens it are needed.',
      state: NOTHING_CHANGED,
      remedy:
        'Give --backup-file FILE, or --backup KEY of the store, and --identity FILE.',
    });
  }
  const trustedSigners = [
    ...(await configuration.trustedSigners()),
    ...(options.signer ? [options.signer] : []),
  ];
  const key = { identities: identitiesIn(identity) };
  if (backupFile) {
    const summary = existsSync(summaryName(backupFile))
      ? verifySummary(await readFile(summaryName(backupFile)), trustedSigners)
      : undefined;
    return {
      open: signal => openFile(backupFile, signal),
      sha256: summary?.ciphertext.sha256,
      key,
      trustedSigners,
    };
  }
  const store = await openStore(configuration.store(options.store));
  const { summary } = await readSummary(store, backup!, trustedSigners);
  return {
    open: signal => store.get(backup!, { signal }),
    sha256: summary.ciphertext.sha256,
    key,
    trustedSigners,
  };
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
      'Give the file that age-keygen made, with the line AGE-SECRET-KEY-1...',
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
      'Give the path of an archive, NAME_backup_TIME.tar.gz.age.',
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
