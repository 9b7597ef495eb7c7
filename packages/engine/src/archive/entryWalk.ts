import { createHash } from 'node:crypto';

import {
  archiveAltered,
  archiveNotOurs,
  archiveSignatureInvalid,
  archiveTruncated,
} from './archiveErrors';
import { asBuffer } from './blocks';
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
  DESCRIPTION_ENTRY,
  END_OF_TAR,
  headerFacts,
  headerLength,
  nodeFileProblem,
  padded,
  parseNodeEntryName,
  ReadHeader,
  SIGNATURE_ENTRY,
  SNAPSHOT_ENTRY,
} from './entries';
import { ShapeProblem } from './jsonShape';
import {
  MAX_CHECKSUMS,
  MAX_DESCRIPTION,
  MAX_ENTRIES,
  MAX_SIGNATURE,
} from './limits';
import type { ArchiveProof, ArchiveVisitor } from './reader';
import { signerOf } from './signing';

/** An entry as tar-stream gives it. */
interface Entry extends AsyncIterable<unknown> {
  header: object;
}

type Facts = Omit<EntryChecksum, 'sha256'> & { mtime: number };

/** Goes through a tar's entries in the one order that an archive has, and judges each. */
export class EntryWalk {
  private readonly visitor: ArchiveVisitor;
  private readonly seen: EntryChecksum[] = [];
  private readonly names = new Set<string>();
  private readonly links = new Set<string>();
  private end = 0;
  private described?: { description: Description; bytes: Buffer };
  private hasSnapshot = false;
  private checked?: { checksums: Checksums; bytes: Buffer };
  private signer?: string;

  constructor(visitor: ArchiveVisitor) {
    this.visitor = visitor;
  }

  /** Whether anything was read that only an archive of ours has. */
  get begun(): boolean {
    return this.described !== undefined;
  }

  async take(entry: Entry): Promise<void> {
    const header = entry.header as ReadHeader;
    const facts = headerFacts(header);
    if (!this.described) {
      if (facts?.name !== DESCRIPTION_ENTRY || facts.type !== 'file') {
        throw archiveNotOurs(
          `This is an encrypted tar.gz, but it does not begin with ${DESCRIPTION_ENTRY}, so this program did not write it.`,
          'If it holds what `bmctl backup cluster` wrote, decrypt it and restore it with bmctl.',
        );
      }
    }
    if (!facts) {
      throw archiveAltered(
        `The archive holds an entry of a kind that archives do not have: ${header.name}.`,
      );
    }
    if (header.byteOffset !== this.end + headerLength(header)) {
      throw archiveAltered(
        `There is something between the entries of the archive, before ${facts.name}.`,
      );
    }
    this.end = header.byteOffset + padded(facts.size);
    const seen = await this.takeInOrder(facts, entry);
    this.seen.push(seen);
  }

  private async takeInOrder(
    facts: Facts,
    entry: Entry,
  ): Promise<EntryChecksum> {
    const { name, size } = facts;
    if (this.signer !== undefined) {
      throw archiveAltered(`The archive goes on after its end: ${name}.`);
    }
    if (!this.described) {
      const { bytes, seen } = await collect(facts, entry, MAX_DESCRIPTION);
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
      const { bytes, seen } = await collect(facts, entry, MAX_SIGNATURE);
      this.signer = this.signerIn(bytes);
      return seen;
    }
    if (this.hasSnapshot) {
      if (name !== CHECKSUMS_ENTRY) {
        throw outOfOrder(name, CHECKSUMS_ENTRY);
      }
      const { bytes, seen } = await collect(facts, entry, MAX_CHECKSUMS);
      const checksums = parsed(name, () => parseChecksums(bytes));
      this.compare(checksums);
      this.checked = { checksums, bytes };
      return seen;
    }
    if (name === SNAPSHOT_ENTRY) {
      const announced = this.described.description.snapshot.size;
      if (facts.type !== 'file' || size !== announced) {
        throw archiveAltered(
          `The snapshot in the archive has ${size} bytes, and its description says ${announced}.`,
        );
      }
      this.hasSnapshot = true;
      return visit(facts, entry, content =>
        this.visitor.snapshot?.(size, content),
      );
    }
    return this.takeNodeFile(facts, entry);
  }

  private async takeNodeFile(
    facts: Facts,
    entry: Entry,
  ): Promise<EntryChecksum> {
    const { name: entryName, ...rest } = facts;
    const { nodes, workers } = this.described!.description;
    const place = parseNodeEntryName(entryName);
    if (!place || [...nodes, ...workers].every(m => m.name !== place.node)) {
      throw outOfOrder(entryName, `nodes/ or ${SNAPSHOT_ENTRY}`);
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
    if (facts.type === 'symlink') {
      this.links.add(`${place.node}${place.path}`);
    }
    return visit(facts, entry, content =>
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

  /** The verdict, when the tar is at its end after `tarSize` bytes. */
  proof(tarSize: number): Omit<ArchiveProof, 'ciphertext'> {
    if (!this.described) {
      throw archiveNotOurs(
        'What is encrypted in this file is an empty tar, so it is no cluster backup.',
        'Choose a file whose name ends in .tar.gz.age and that this program wrote.',
      );
    }
    if (!this.checked || this.signer === undefined) {
      throw archiveTruncated(
        `The archive ends before its last entry, after ${
          this.seen[this.seen.length - 1].name
        }.`,
      );
    }
    if (tarSize !== this.end + END_OF_TAR) {
      throw archiveAltered('The archive does not end as its tar does.', {
        bytes: tarSize,
        expected: this.end + END_OF_TAR,
      });
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
  facts: Facts,
  entry: Entry,
  take: (content: AsyncIterable<Buffer>) => Promise<void> | void | undefined,
): Promise<EntryChecksum> {
  const hash = createHash('sha256');
  const chunks = entry[Symbol.asyncIterator]();
  async function* content() {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done) {
        return;
      }
      const chunk = asBuffer(value as Uint8Array);
      hash.update(chunk);
      yield chunk;
    }
  }
  // Breaking out of the visitor's loop ends that iterator, not the entry.
  await take(content());
  for await (const _ of content()) {
    // What the visitor did not want is hashed all the same.
  }
  const { mtime, ...kept } = facts;
  return {
    ...kept,
    ...(facts.type === 'file' && { sha256: hash.digest('hex') }),
  };
}

async function collect(
  facts: Facts,
  entry: Entry,
  max: number,
): Promise<{ bytes: Buffer; seen: EntryChecksum }> {
  if (facts.type !== 'file' || facts.size > max) {
    throw archiveAltered(
      `${facts.name} in the archive is no file of at most ${max} bytes.`,
    );
  }
  const chunks: Buffer[] = [];
  const seen = await visit(facts, entry, async content => {
    for await (const chunk of content) {
      chunks.push(chunk);
    }
  });
  return { bytes: Buffer.concat(chunks), seen };
}
