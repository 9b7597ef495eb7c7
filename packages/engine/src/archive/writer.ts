import { createHash, KeyObject } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { drainedOrClosed } from './backPressure';
import { asBuffer, BlockPool, blocksOf, PACKED_BLOCK } from './blocks';
import { archiveUnwritable } from './archiveErrors';
import { ArchiveForm } from './archiveName';
import {
  archiveMessage,
  Checksums,
  EntryChecksum,
  SnapshotFacts,
} from './checksums';
import { Compression, compressor } from './compression';
import { Description, parseDescription } from './description';
import { ageEncrypt, encrypterFor } from './encryption';
import {
  CHECKSUMS_ENTRY,
  DESCRIPTION_ENTRY,
  nodeEntryName,
  NodeFileHeader,
  nodeFileProblem,
  OBJECTS_ENTRY,
  ownEntry,
  SIGNATURE_ENTRY,
  SNAPSHOT_ENTRY,
} from './entries';
import { ShapeProblem } from './jsonShape';
import {
  MAX_CHECKSUMS,
  MAX_DESCRIPTION,
  MAX_ENTRIES,
  MAX_OBJECTS,
} from './limits';
import { keyFingerprint, signMessage } from './signing';
import { ArchiveSummary, signSummary } from './summary';
import { encodeHeader, END_OF_TAR, paddingOf, TarHeader } from './tar';

/**
 * Writes one archive: `description`, where there are any `objects`, then any number of `nodeFile`, then `snapshot`, then `finish`, each awaited before
 * the next. They wait for whoever reads `ciphertext`, so that must be under way first.
 *
 * @public
 */
export interface ArchiveWriter {
  /** The archive's bytes. Destroying it makes every method reject. */
  readonly ciphertext: Readable;
  description(description: Description): Promise<void>;
  /**
   * Objects that the cluster is known by to whoever manages it, Secrets among them, as a Kubernetes List in JSON; at
   * most once, and before everything else.
   */
  objects(list: Buffer): Promise<void>;
  /** @throws ClusterBackupError `archive-content-refused` when it can not be kept or is not as its header says. */
  nodeFile(
    node: string,
    header: NodeFileHeader,
    source?: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /**
   * A buffer to fill for {@link ArchiveWriter.snapshot}: given whole, it is used again once it is compressed, and may
   * not be touched any more. Of others the bytes are copied.
   */
  takeBlock(): Buffer;
  /**
   * @param sha256 - of what the source gives, settled when it has ended; computed here where it is not given, for a
   * second hash of gigabytes takes time that is felt
   * @throws ClusterBackupError `archive-content-refused` when the source does not give exactly `size` bytes.
   */
  snapshot(
    size: number,
    source: AsyncIterable<Uint8Array>,
    sha256?: Promise<string>,
  ): Promise<void>;
  /** Writes checksums and signature and resolves when the last byte was read from `ciphertext`. */
  finish(facts: SnapshotFacts): Promise<ArchiveSummary>;
  /** Ends `ciphertext` with this error. */
  abort(error: Error): void;
}

/** How archives are packed. @public */
export interface Packing {
  /** age public keys. Who holds one of their identities can open the archive. */
  recipients: string[];
  /** Leaves encryption out. Then there are no recipients. */
  dangerouslyStoreUnencrypted?: boolean;
  /** Default gzip. */
  compression?: Compression;
  /** gzip's, 1 (default) to 9, or zstd's, 1 to 19, default 3. */
  compressionLevel?: number;
}

/** What the name of an archive that is packed so says of it. @public */
export function formOf({
  compression = 'gzip',
  dangerouslyStoreUnencrypted = false,
}: Omit<Packing, 'recipients'>): ArchiveForm {
  return { compression, encrypted: !dangerouslyStoreUnencrypted };
}

/**
 * Begins an archive: tar, gzip or zstd, age.
 *
 * @throws ClusterBackupError `recipient-invalid`, `compression-unsupported`
 * @public
 */
export function createArchive(
  options: Packing & {
    /** Ed25519 private key. */
    signingKey: KeyObject;
    /** Is given the file key, where there is one, to open the archive with once it is finished; wipes it. */
    learnFileKey?: (fileKey: Uint8Array) => void;
    signal?: AbortSignal;
  },
): ArchiveWriter {
  const { signingKey, compression = 'gzip', signal } = options;
  const encrypt = encryption(options);
  const compress = compressor(compression, options.compressionLevel);
  const tar = new PassThrough({ objectMode: true, highWaterMark: 1 });
  const pool = new BlockPool(PACKED_BLOCK);
  const stored = createHash('sha256');
  let storedSize = 0;
  let failure: unknown;
  let ended = false;

  async function* encrypted() {
    for await (const block of encrypt(compress(tar, pool))) {
      stored.update(block);
      storedSize += block.length;
      yield block;
    }
    ended = true;
  }
  const ciphertext = Readable.from(encrypted());
  const closed = new Promise<void>(resolve => {
    ciphertext.once('close', () => {
      signal?.removeEventListener('abort', onAbort);
      if (!ended) {
        const { errored } = ciphertext;
        // What leaving a loop over a stream early makes of it.
        const wordless = !errored || errored.name === 'AbortError';
        failure ??= wordless ? abandoned() : errored;
        tar.destroy();
      }
      resolve();
    });
  });
  // Both are told through the promises of the methods.
  ciphertext.on('error', () => {});
  tar.on('error', () => {});

  function abort(error: Error) {
    failure ??= error;
    ciphertext.destroy(error);
    tar.destroy(error);
  }
  /** Throws why the archive ended early, when it did. */
  async function refuseAfterEnd() {
    if (tar.destroyed) {
      // Its reader went first, and knows why once it is closed.
      await closed;
    }
    if (failure) {
      throw failure;
    }
  }
  function onAbort() {
    abort(signal!.reason);
  }
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) {
    onAbort();
  }

  const entries: EntryChecksum[] = [];
  const names = new Set<string>();
  const links = new Map<string, Set<string>>();
  let stage: 'description' | 'files' | 'checksums' | 'done' = 'description';
  let described: { description: Description; bytes: Buffer } | undefined;

  function expect(expected: typeof stage, next: typeof stage) {
    if (failure) {
      throw failure;
    }
    if (stage !== expected) {
      throw new Error(`The archive's entries are out of order: at ${stage}`);
    }
    stage = next;
  }

  async function write(bytes: Buffer) {
    await refuseAfterEnd();
    if (!tar.write(bytes) && !tar.destroyed) {
      await drainedOrClosed(tar);
    }
    await refuseAfterEnd();
  }

  /** Writes an entry; `what` names it in messages. */
  async function add(
    header: TarHeader,
    source: AsyncIterable<Uint8Array> | Iterable<Buffer>,
    what: string,
    sha256?: Promise<string>,
  ): Promise<EntryChecksum> {
    const hash = createHash('sha256');
    let written = 0;
    const refused = (found: string) =>
      archiveUnwritable(
        `${what} gave ${found} bytes than the ${header.size} announced: it changed while it was read, or reading it failed.`,
        { announced: header.size, read: written },
      );
    try {
      await write(encodeHeader(header));
      if (header.type === 'file') {
        for await (const block of source) {
          written += block.length;
          if (written > header.size) {
            throw refused('more');
          }
          if (!sha256) {
            hash.update(block);
          }
          await write(asBuffer(block));
        }
        if (written < header.size) {
          throw refused('fewer');
        }
        await write(paddingOf(header.size));
      }
    } catch (error) {
      abort(error as Error);
      throw failure;
    }
    return {
      ...header,
      ...(header.type === 'file' && {
        sha256: sha256 ? await sha256 : hash.digest('hex'),
      }),
    };
  }

  function ownHeader(name: string, size: number): TarHeader {
    return ownEntry(name, size, described!.description.createdAt);
  }

  async function addOwn(name: string, bytes: Buffer): Promise<EntryChecksum> {
    return add(ownHeader(name, bytes.length), [bytes], name);
  }

  return {
    ciphertext,
    abort,
    takeBlock: () => pool.take(),

    async description(description) {
      expect('description', 'files');
      const bytes = encode(description);
      if (bytes.length > MAX_DESCRIPTION) {
        throw archiveUnwritable(
          `The description has ${bytes.length} bytes, more than ${MAX_DESCRIPTION}.`,
        );
      }
      try {
        described = { description: parseDescription(bytes), bytes };
      } catch (error) {
        if (error instanceof ShapeProblem) {
          throw archiveUnwritable(
            `The description can not be written: ${error.message}.`,
          );
        }
        throw error;
      }
      entries.push(await addOwn(DESCRIPTION_ENTRY, bytes));
    },

    async objects(list) {
      expect('files', 'files');
      if (entries.length !== 1 || list.length > MAX_OBJECTS) {
        throw archiveUnwritable(
          `The cluster's objects have ${list.length} bytes and come after ${entries.length} entries; at most ${MAX_OBJECTS} bytes come after the first.`,
        );
      }
      entries.push(await addOwn(OBJECTS_ENTRY, list));
    },

    async nodeFile(node, header, source) {
      expect('files', 'files');
      const what = `${node}:${header.path}`;
      const { nodes, workers } = described!.description;
      const ofNode = links.get(node) ?? new Set();
      links.set(node, ofNode);
      const name = nodeEntryName(node, header.path);
      const problem = [...nodes, ...workers].every(m => m.name !== node)
        ? 'its machine is not in the description'
        : nodeFileProblem(header, path => ofNode.has(path)) ??
          (names.has(name) ? 'it was given twice' : undefined) ??
          (entries.length >= MAX_ENTRIES - 1
            ? `an archive has at most ${MAX_ENTRIES} entries`
            : undefined);
      if (problem) {
        throw archiveUnwritable(`${what} can not be kept: ${problem}.`, {
          machine: node,
          path: header.path,
        });
      }
      names.add(name);
      if (header.type === 'symlink') {
        ofNode.add(header.path);
      }
      const { type, mode, uid, gid, size, mtime, linkname } = header;
      entries.push(
        await add(
          {
            name,
            type,
            mode,
            uid,
            gid,
            size,
            mtime,
            ...(linkname !== undefined && { linkname }),
          },
          source ?? [],
          what,
        ),
      );
    },

    async snapshot(size, source, sha256) {
      expect('files', 'checksums');
      // Where the source fails, that is told instead.
      sha256?.catch(() => {});
      const announced = described!.description.snapshot.size;
      if (size !== announced) {
        throw archiveUnwritable(
          `The snapshot has ${size} bytes, and the description says ${announced}.`,
        );
      }
      entries.push(
        await add(
          ownHeader(SNAPSHOT_ENTRY, size),
          blocksOf(source, PACKED_BLOCK, pool),
          'The snapshot',
          sha256,
        ),
      );
    },

    async finish(facts) {
      expect('checksums', 'done');
      const snapshot = entries[entries.length - 1];
      if (snapshot.sha256 !== facts.snapshotSha256) {
        const error = archiveUnwritable(
          'The snapshot in the archive is not the one that etcd sent: its SHA-256 differs.',
          { sent: facts.snapshotSha256, written: snapshot.sha256 },
        );
        abort(error);
        throw error;
      }
      const checksums: Checksums = { formatVersion: 1, entries, facts };
      const bytes = encode(checksums);
      if (bytes.length > MAX_CHECKSUMS) {
        throw archiveUnwritable(
          `The checksums have ${bytes.length} bytes, more than ${MAX_CHECKSUMS}.`,
        );
      }
      await addOwn(CHECKSUMS_ENTRY, bytes);
      await addOwn(
        SIGNATURE_ENTRY,
        encode(
          signMessage(archiveMessage(described!.bytes, bytes), signingKey),
        ),
      );
      await write(END_OF_TAR);
      tar.end();
      await closed;
      if (failure) {
        throw failure;
      }
      return signSummary(
        {
          formatVersion: 1,
          description: described!.description,
          facts,
          ciphertext: { size: storedSize, sha256: stored.digest('hex') },
          signer: keyFingerprint(signingKey),
        },
        signingKey,
      );
    },
  };
}

/** What the compressed data passes through on its way into the store. */
function encryption({
  recipients,
  dangerouslyStoreUnencrypted,
  learnFileKey,
}: Packing & { learnFileKey?: (fileKey: Uint8Array) => void }): (
  source: AsyncGenerator<Buffer>,
) => AsyncGenerator<Buffer> {
  if (!dangerouslyStoreUnencrypted) {
    const encrypter = encrypterFor(recipients);
    return source => ageEncrypt(source, encrypter, learnFileKey);
  }
  if (recipients.length === 0) {
    return source => source;
  }
  throw new ClusterBackupError({
    code: 'recipient-invalid',
    message:
      'There are recipients, and yet the archive is to be stored unencrypted.',
    state: NOTHING_CHANGED,
    remedy: 'Remove dangerouslyStoreUnencrypted from the configuration.',
  });
}

function encode(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function abandoned() {
  return new ClusterBackupError({
    code: 'archive-abandoned',
    message: 'Whatever was reading the archive stopped before its end.',
    state: NOTHING_CHANGED,
    remedy: 'See the error of the store that the archive was written to.',
  });
}
