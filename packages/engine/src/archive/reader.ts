import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';
import { abortable } from '../abortable';
import { drainedOrClosed } from './backPressure';
import {
  archiveAltered,
  archiveNotOurs,
  archiveTruncated,
} from './archiveErrors';
import { Checksums, SnapshotFacts } from './checksums';
import { gunzip } from './compression';
import { Description } from './description';
import { ageDecrypt, ArchiveKeys } from './encryption';
import { NodeFileHeader } from './entries';
import { EntryWalk } from './entryWalk';

/**
 * Takes what an archive holds as it passes. The bytes come *before* they are proven: nothing made of them may be used
 * until `readArchive` has resolved. A stream that is not read to its end is skipped.
 *
 * @public
 */
export interface ArchiveVisitor {
  description?(description: Description): Promise<void> | void;
  nodeFile?(
    node: string,
    header: NodeFileHeader,
    content: AsyncIterable<Buffer>,
  ): Promise<void> | void;
  snapshot?(size: number, content: AsyncIterable<Buffer>): Promise<void> | void;
}

/** What a whole reading of an archive has proven. @public */
export interface ArchiveProof {
  description: Description;
  checksums: Checksums;
  facts: SnapshotFacts;
  /** Fingerprint of the key that signed it. Whether to trust that key is the caller's to say. */
  signer: string;
  /** The file as it was read; `sha256` in hex. */
  ciphertext: { size: number; sha256: string };
}

/**
 * Reads an archive once, from front to back, with flat memory. Resolves only when the encryption's last chunk, every
 * checksum, the signature and the order of entries are right and nothing follows.
 *
 * @throws ClusterBackupError `archive-truncated`, `archive-altered`, `archive-not-ours`, `archive-wrong-key`,
 * `archive-newer-format`, `archive-signature-invalid`, `identity-invalid`; what the visitor or the source throws passes
 * as it is.
 * @public
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  options: ArchiveKeys & { signal?: AbortSignal },
  visitor: ArchiveVisitor = {},
): Promise<ArchiveProof> {
  const ciphertext = createHash('sha256');
  let ciphertextSize = 0;
  let tarSize = 0;
  async function* stored() {
    for await (const chunk of abortable(source, options.signal)) {
      ciphertext.update(chunk);
      ciphertextSize += chunk.length;
      yield chunk;
    }
  }

  const tar = extract();
  tar.on('error', () => {});
  let pumpFailure: { error: unknown } | undefined;
  const pumping = (async () => {
    try {
      for await (const chunk of gunzip(ageDecrypt(stored(), options))) {
        tarSize += chunk.length;
        if (tar.destroyed) {
          return;
        }
        if (!tar.write(chunk)) {
          await drainedOrClosed(tar);
        }
      }
      tar.end(null);
    } catch (error) {
      pumpFailure = { error };
      tar.destroy(error as Error);
    }
  })();

  const entries = tar[Symbol.asyncIterator]();
  const walk = new EntryWalk(visitor);
  try {
    for (;;) {
      const { done, value } = await entries.next().catch(error => {
        throw tarProblem(error, walk);
      });
      if (done) {
        break;
      }
      await walk.take(value);
    }
    await pumping;
  } catch (error) {
    // Where what feeds the tar failed, everything behind it did too.
    throw pumpFailure ? pumpFailure.error : error;
  } finally {
    tar.destroy();
  }
  if (pumpFailure) {
    throw pumpFailure.error;
  }
  return {
    ...walk.proof(tarSize),
    ciphertext: { size: ciphertextSize, sha256: ciphertext.digest('hex') },
  };
}

function tarProblem(error: Error, walk: EntryWalk) {
  if (error.message === 'Unexpected end of data') {
    return archiveTruncated('The tar in the archive ends inside an entry.');
  }
  return walk.begun
    ? archiveAltered('The tar in the archive is damaged.', undefined, error)
    : archiveNotOurs(
        'What is encrypted in this file is no tar, so it is no cluster backup.',
        'Choose a file whose name ends in .tar.gz.age and that this program wrote.',
      );
}
