import { createHash } from 'node:crypto';
import { abortable } from '../abortable';
import { archiveAltered } from './archiveErrors';
import { ByteReader } from './byteReader';
import { Checksums, SnapshotFacts } from './checksums';
import { compressionOf, decompress } from './compression';
import { Description } from './description';
import { ageDecrypt, ArchiveKeys } from './encryption';
import { DESCRIPTION_ENTRY, NodeFileHeader } from './entries';
import { EntryWalk } from './entryWalk';
import { readTar } from './tar';

/**
 * Takes what an archive holds as it passes. The bytes come *before* they are proven: nothing made of them may be used
 * until `readArchive` has resolved. A stream that is not read to its end is skipped.
 *
 * @public
 */
export interface ArchiveVisitor {
  description?(description: Description): Promise<void> | void;
  /** A Kubernetes List, as JSON: see {@link ArchiveWriter.objects}. */
  objects?(list: Buffer): Promise<void> | void;
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
 * @param options - what opens it, nothing where it is not encrypted; `sha256`, in hex, of the file that is meant, where
 * that is known
 * @throws ClusterBackupError `archive-truncated`, `archive-altered`, `archive-not-ours`, `archive-key-missing`,
 * `archive-wrong-key`, `archive-newer-format`, `archive-signature-invalid`, `identity-invalid`,
 * `compression-unsupported`; what the visitor or the source throws passes as it is.
 * @public
 */
export async function readArchive(
  source: AsyncIterable<Uint8Array>,
  options: (ArchiveKeys | object) & { sha256?: string; signal?: AbortSignal },
  visitor: ArchiveVisitor = {},
): Promise<ArchiveProof> {
  const ciphertext = createHash('sha256');
  let ciphertextSize = 0;
  async function* stored() {
    for await (const chunk of abortable(source, options.signal)) {
      ciphertext.update(chunk);
      ciphertextSize += chunk.length;
      yield chunk;
    }
  }

  const keys =
    'identities' in options || 'fileKey' in options ? options : undefined;
  const tar = new ByteReader(tarIn(stored(), keys));
  const walk = new EntryWalk(visitor);
  try {
    for await (const entry of readTar(tar, DESCRIPTION_ENTRY)) {
      await walk.take(entry);
    }
  } finally {
    tar.close();
  }
  const proof = walk.proof();
  const sha256 = ciphertext.digest('hex');
  if (options.sha256 && options.sha256 !== sha256) {
    throw archiveAltered(
      `The archive's digest ${sha256} is not the one of its summary, ${options.sha256}.`,
      { found: sha256, expected: options.sha256 },
    );
  }
  return { ...proof, ciphertext: { size: ciphertextSize, sha256 } };
}

/** Takes off the outer layers. */
async function* tarIn(
  stored: AsyncIterable<Uint8Array>,
  keys: ArchiveKeys | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new ByteReader(stored);
  try {
    const isEncrypted = !compressionOf(await bytes.peek(4));
    yield* decompress(
      isEncrypted ? ageDecrypt(bytes.rest(), keys) : bytes.rest(),
    );
  } finally {
    bytes.close();
  }
}
