import { createHash } from 'node:crypto';
import { archiveMessage } from '../checksums';
import { ageEncrypt, encrypterFor } from '../encryption';
import { gzip } from '../gzip';
import { signMessage } from '../signing';
import { encodeHeader, END_OF_TAR, paddingOf, TarHeader } from '../tar';
import { sampleDescription, signingKey, withTrailer } from './sampleArchive';
import { collected, inPieces } from './streams';

/** An entry, with the bytes in it. */
export interface ForgedEntry extends Partial<Omit<TarHeader, 'size'>> {
  name: string;
  content?: Buffer;
  /** Changes the header's bytes; their sum is made right again. */
  raw?: (header: Buffer) => Buffer;
}

/** What somebody who knows the recipients can make: everything fits together, whatever is in it. */
export interface Forgery {
  description?: object;
  snapshot?: Buffer;
  /** Between description and snapshot. */
  entries?: ForgedEntry[];
  /** Changes what was made last. */
  edit?: (entries: ForgedEntry[]) => ForgedEntry[];
  checksums?: (checksums: any) => object;
  /** Changes the whole of it. */
  tar?: (tar: Buffer) => Buffer;
}

export const FORGED_SNAPSHOT = withTrailer(Buffer.from('the snapshot'));
/** Of the sample's description. */
export const FORGED_AT = Math.floor(Date.parse('2026-11-22T14:15:00Z') / 1000);

export function forgeTar(forgery: Forgery): Buffer {
  const snapshot = forgery.snapshot ?? FORGED_SNAPSHOT;
  const description = json(
    forgery.description ?? sampleDescription(snapshot.length),
  );
  const before: ForgedEntry[] = [
    { name: 'backup.json', content: description },
    ...(forgery.entries ?? []),
    { name: 'etcd/snapshot.db', content: snapshot },
  ];
  const honest = {
    formatVersion: 1,
    entries: before.map(entry => {
      const header = headerOf(entry);
      return header.type === 'file'
        ? { ...header, sha256: sha256(entry.content ?? Buffer.alloc(0)) }
        : header;
    }),
    facts: { revision: 1, snapshotSha256: sha256(snapshot) },
  };
  const checksums = json(forgery.checksums?.(honest) ?? honest);
  const signature = json(
    signMessage(archiveMessage(description, checksums), signingKey),
  );
  const entries = [
    ...before,
    { name: 'checksums.json', content: checksums },
    { name: 'signature', content: signature },
  ];
  const tar = Buffer.concat([
    ...(forgery.edit?.(entries) ?? entries).map(encodeEntry),
    END_OF_TAR,
  ]);
  return forgery.tar?.(tar) ?? tar;
}

function headerOf({ content, raw: _, ...entry }: ForgedEntry): TarHeader {
  return {
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: content?.length ?? 0,
    mtime: FORGED_AT,
    ...entry,
  };
}

function encodeEntry(entry: ForgedEntry): Buffer {
  const { content = Buffer.alloc(0), raw } = entry;
  const header = encodeHeader(headerOf(entry));
  return Buffer.concat([
    raw ? resummed(raw(header)) : header,
    content,
    paddingOf(content.length),
  ]);
}

/** A header with its own sum put right. */
export function resummed(header: Buffer): Buffer {
  const block = Buffer.from(header);
  block.fill(' ', 148, 156);
  const sum = block.subarray(0, 512).reduce((a, b) => a + b, 0);
  block.write(`${sum.toString(8).padStart(6, '0')} \0`, 148);
  return block;
}

/** Any tar as an archive's outer layers have it. */
export async function wrap(tar: Buffer, recipient: string): Promise<Buffer> {
  return encrypted(await collected(gzip(inPieces(tar, 65536), 1)), recipient);
}

/** Anything, encrypted by somebody who knows the recipient. */
export function encrypted(bytes: Buffer, recipient: string): Promise<Buffer> {
  return collected(
    ageEncrypt(inPieces(bytes, 65536), encrypterFor([recipient])),
  );
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
