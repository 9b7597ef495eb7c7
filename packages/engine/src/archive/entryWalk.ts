import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  archiveAltered,
  archiveSignatureInvalid,
  archiveTruncated,
} from './archiveErrors';
import {
  archiveMessage,
  Checksums,
  EntryChecksum,
  parseChecksums,
  parseSignature,
} from './checksums';
import { Description, parseDescription } from './description';
import {
  CHECKSUMS_ENTRY,
  NODES,
  nodeFileProblem,
  OBJECTS_ENTRY,
  ownEntry,
  parseNodeEntryName,
  SIGNATURE_ENTRY,
  SNAPSHOT_ENTRY,
} from './entries';
import { ShapeProblem } from './jsonShape';
import {
  MAX_CHECKSUMS,
  MAX_DESCRIPTION,
  MAX_ENTRIES,
  MAX_OBJECTS,
  MAX_SIGNATURE,
} from './limits';
import type { ArchiveProof, ArchiveVisitor } from './reader';
import { signerOf } from './signing';
import { SnapshotHash, SNAPSHOT_TRAILER } from './snapshotHash';
import { TarEntry } from './tar';

/** Goes through a tar's entries in the one order that an archive has, and judges each. */
export class EntryWalk {
  private readonly visitor: ArchiveVisitor;
  private readonly seen: EntryChecksum[] = [];
  private readonly names = new Set<string>();
  private readonly links = new Set<string>();
  private described?: { description: Description; bytes: Buffer };
  private hasSnapshot = false;
  private checked?: { checksums: Checksums; bytes: Buffer };
  private signer?: string;

  constructor(visitor: ArchiveVisitor) {
    this.visitor = visitor;
  }

  async take(entry: TarEntry): Promise<void> {
    const seen = await this.takeInOrder(entry);
    const { name, size } = seen;
    const { createdAt } = this.described!.description;
    if (!name.startsWith(NODES)) {
      const { sha256: _, ...header } = seen;
      if (!isDeepStrictEqual(header, ownEntry(name, size, createdAt))) {
        throw archiveAltered(
          `${name} in the archive does not have the type, mode, owner and time that it has in archives.`,
          { entry: name },
        );
      }
    }
    this.seen.push(seen);
  }

  private async takeInOrder(entry: TarEntry): Promise<EntryChecksum> {
    const { name, size } = entry.header;
    if (this.signer !== undefined) {
      throw archiveAltered(`The archive goes on after its end: ${name}.`);
    }
    if (!this.described) {
      const { bytes, seen } = await collect(entry, MAX_DESCRIPTION);
      this.described = {
        bytes,
        description: parsed(name, () => parseDescription(bytes)),
      };
      await this.visitor.description?.(this.described.description);
      return seen;
    }
    if (this.checked) {
      if (name !== SIGNATURE_ENTRY) {
        throw outOfOrder(name, SIGNATURE_ENTRY);
      }
      const { bytes, seen } = await collect(entry, MAX_SIGNATURE);
      this.signer = this.signerIn(bytes);
      return seen;
    }
    if (this.hasSnapshot) {
      if (name !== CHECKSUMS_ENTRY) {
        throw outOfOrder(name, CHECKSUMS_ENTRY);
      }
      const { bytes, seen } = await collect(entry, MAX_CHECKSUMS);
      const checksums = parsed(name, () => parseChecksums(bytes));
      this.compare(checksums);
      this.checked = { checksums, bytes };
      return seen;
    }
    if (name === OBJECTS_ENTRY && this.seen.length === 1) {
      const { bytes, seen } = await collect(entry, MAX_OBJECTS);
      await this.visitor.objects?.(bytes);
      return seen;
    }
    if (name === SNAPSHOT_ENTRY) {
      const announced = this.described.description.snapshot.size;
      if (size !== announced || size <= SNAPSHOT_TRAILER) {
        throw archiveAltered(
          `The snapshot in the archive has ${size} bytes, and its description says ${announced}.`,
        );
      }
      this.hasSnapshot = true;
      const hash = new SnapshotHash(size);
      const seen = await visit(
        entry,
        content => this.visitor.snapshot?.(size, content),
        hash,
      );
      if (!hash.endsAsItShould) {
        throw archiveAltered(
          'The snapshot in the archive does not end with its own SHA-256, as etcd writes it.',
          { entry: name },
        );
      }
      return seen;
    }
    return this.takeNodeFile(entry);
  }

  private async takeNodeFile(entry: TarEntry): Promise<EntryChecksum> {
    const { name: entryName, ...rest } = entry.header;
    const { nodes, workers } = this.described!.description;
    const place = parseNodeEntryName(entryName);
    if (!place || [...nodes, ...workers].every(m => m.name !== place.node)) {
      throw outOfOrder(entryName, `${NODES} or ${SNAPSHOT_ENTRY}`);
    }
    const header = { path: place.path, ...rest };
    const problem =
      nodeFileProblem(header, path => this.links.has(`${place.node}${path}`)) ??
      (this.names.has(entryName) ? 'it is there twice' : undefined);
    if (problem) {
      throw archiveAltered(
        `The archive holds an entry that no archive has, ${entryName}: ${problem}.`,
      );
    }
    if (this.seen.length >= MAX_ENTRIES) {
      throw archiveAltered(`The archive has more than ${MAX_ENTRIES} entries.`);
    }
    this.names.add(entryName);
    if (header.type === 'symlink') {
      this.links.add(`${place.node}${place.path}`);
    }
    return visit(entry, content =>
      this.visitor.nodeFile?.(place.node, header, content),
    );
  }

  private compare({ entries, facts }: Checksums) {
    if (entries.length !== this.seen.length) {
      throw archiveAltered(
        `The archive has ${this.seen.length} entries before its checksums, which are of ${entries.length}.`,
      );
    }
    this.seen.forEach((found, index) => {
      const expected = entries[index];
      for (const key of Object.keys({ ...found, ...expected }) as Array<
        keyof EntryChecksum
      >) {
        if (found[key] !== expected[key]) {
          throw archiveAltered(
            `${found.name} in the archive is not as its checksums say: ${key} is ${found[key]}, not ${expected[key]}.`,
            { entry: found.name, field: key },
          );
        }
      }
    });
    const snapshot = this.seen[this.seen.length - 1];
    if (snapshot.sha256 !== facts.snapshotSha256) {
      throw archiveAltered(
        'The snapshot in the archive is not the one that etcd sent.',
        { entry: snapshot.name },
      );
    }
  }

  private signerIn(bytes: Buffer): string {
    const signature = parsed(SIGNATURE_ENTRY, () => parseSignature(bytes));
    const signer = signerOf(
      archiveMessage(this.described!.bytes, this.checked!.bytes),
      signature,
    );
    if (signer === undefined) {
      throw archiveSignatureInvalid(
        'The signature inside the archive does not match.',
      );
    }
    return signer;
  }

  /** The verdict, when the tar is at its end. */
  proof(): Omit<ArchiveProof, 'ciphertext'> {
    if (!this.described || !this.checked || this.signer === undefined) {
      throw archiveTruncated(
        `The archive ends before its last entry, after ${
          this.seen.at(-1)?.name
        }.`,
      );
    }
    return {
      description: this.described.description,
      checksums: this.checked.checksums,
      facts: this.checked.checksums.facts,
      signer: this.signer,
    };
  }
}

function outOfOrder(found: string, expected: string) {
  return archiveAltered(
    `The archive's entries are not in order: ${found} stands where ${expected} belongs.`,
  );
}

function parsed<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof ShapeProblem) {
      throw archiveAltered(
        `${name} in the archive is not valid: ${error.message}.`,
      );
    }
    throw error;
  }
}

/** Hands an entry's content over and hashes it, whether it is read to its end or not. */
async function visit(
  { header, content }: TarEntry,
  take: (content: AsyncIterable<Buffer>) => Promise<void> | void | undefined,
  hash: Pick<SnapshotHash, 'update' | 'digest'> = createHash('sha256'),
): Promise<EntryChecksum> {
  const chunks = content[Symbol.asyncIterator]();
  async function* hashed() {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) {
        return;
      }
      hash.update(value);
      yield value;
    }
  }
  // Breaking out of the visitor's loop ends that iterator, not the entry.
  await take(hashed());
  for await (const _ of hashed()) {
    // What the visitor did not want is hashed all the same.
  }
  return {
    ...header,
    ...(header.type === 'file' && { sha256: hash.digest('hex') }),
  };
}

async function collect(
  entry: TarEntry,
  max: number,
): Promise<{ bytes: Buffer; seen: EntryChecksum }> {
  const { name, size } = entry.header;
  if (size > max) {
    throw archiveAltered(
      `${name} in the archive has ${size} bytes, more than ${max}.`,
    );
  }
  const chunks: Buffer[] = [];
  const seen = await visit(entry, async content => {
    for await (const chunk of content) {
      chunks.push(chunk);
    }
  });
  return { bytes: Buffer.concat(chunks), seen };
}
