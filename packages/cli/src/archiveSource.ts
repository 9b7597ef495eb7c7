import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  ArchiveSource,
  ClusterBackupError,
  keyFingerprint,
  loadSigningKeyFile,
  NOTHING_CHANGED,
  parseIdentities,
  summaryName,
  verifySummary,
} from '@cluster-backup/engine';
import { Configuration } from './configuration';

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
  const trustedSigners = await signersOf(configuration, options.signer);
  const key = { identities: identitiesIn(identity) };
  if (backupFile) {
    const summary = existsSync(summaryName(backupFile))
      ? verifySummary(await readFile(summaryName(backupFile)), trustedSigners)
      : undefined;
    return {
      open: async signal =>
        createReadStream(backupFile, { signal, highWaterMark: 1 << 20 }),
      sha256: summary?.ciphertext.sha256,
      key,
      trustedSigners,
    };
  }
  const store = await configuration.store(options.store);
  const summary = verifySummary(
    await bytesOf(await store.get(summaryName(backup!))),
    trustedSigners,
  );
  return {
    open: signal => store.get(backup!, { signal }),
    sha256: summary.ciphertext.sha256,
    key,
    trustedSigners,
  };
}

/** One's own signing key is trusted, and whom the configuration or the command line names. */
async function signersOf(
  { signingKeyFile, trustedSigners }: Configuration,
  named?: string,
): Promise<string[]> {
  const own = existsSync(signingKeyFile)
    ? [keyFingerprint(await loadSigningKeyFile(signingKeyFile))]
    : [];
  return [...own, ...trustedSigners, ...(named ? [named] : [])];
}

function identitiesIn(file: string): string[] {
  try {
    return parseIdentities(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof ClusterBackupError) throw error;
    throw new ClusterBackupError({
      code: 'identity-unreadable',
      message: `The identity file ${file} cannot be read: ${
        (error as NodeJS.ErrnoException).code
      }.`,
      state: NOTHING_CHANGED,
      remedy:
        'Give the file that age-keygen made, with the line AGE-SECRET-KEY-1...',
      details: { file },
    });
  }
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
