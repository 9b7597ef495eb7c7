import {
  ArchiveProof,
  parseArchiveName,
  readArchive,
  verifySummary,
} from '@cluster-backup/engine';
import { inPieces } from './bytes';
import { Fixture } from './fixtures';

/** What is given to whoever wants to restore. */
export interface Given {
  bytes: Buffer;
  /** Of the file, where its summary is there and proven. */
  sha256?: string;
  identities?: string[];
}

/** The code that reading an archive ends with, or what it has proven. */
export async function readingOf(given: Given): Promise<string | ArchiveProof> {
  const { bytes, sha256, identities } = given;
  try {
    return await readArchive(inPieces(bytes, 100_000), {
      ...(identities && { identities }),
      sha256,
    });
  } catch (error) {
    return codeOf(error);
  }
}

/** The code that reading it must end with, or `proven`. */
export async function verdict(given: Given): Promise<string> {
  const reading = await readingOf(given);
  return typeof reading === 'string' ? reading : 'proven';
}

/** What summary and archive prove together, as before a restore. */
export async function verdictOfBoth(
  { bytes, summary, identity, signer, name }: Fixture,
  trusted = [signer],
): Promise<string> {
  try {
    const { ciphertext } = verifySummary(summary, trusted);
    return await verdict({
      bytes,
      sha256: ciphertext.sha256,
      identities: parseArchiveName(name)!.encrypted ? [identity] : undefined,
    });
  } catch (error) {
    return codeOf(error);
  }
}

/** Only refusals with a code count; anything else is a defect. */
export function codeOf(error: unknown): string {
  const { code, remedy } = error as { code?: string; remedy?: string };
  if (code && remedy) return code;
  throw error;
}
