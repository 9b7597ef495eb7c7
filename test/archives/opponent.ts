import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { parseArchiveName } from '@cluster-backup/engine';
import { Fixture } from './fixtures';

// What somebody can do who has an archive, its recipients and no line of our program: everything here is by other means.

const CHUNK = 64 * 1024 + 16;
const BLOCK = 512;
const GZIP_HEADER = Buffer.from('1f8b08000000000000ff', 'hex');

/** A part of a file that an alteration may hit. */
export interface Part {
  name: string;
  start: number;
  end: number;
}

/** Where the parts of an age file are. */
export function partsOfAge(file: Buffer): Part[] {
  const lines: Part[] = [];
  const names = ['version', 'recipient', 'wrapped key', 'mac'];
  let at = 0;
  for (const name of names) {
    const end = file.indexOf('\n', at) + 1;
    lines.push({ name, start: at, end });
    at = end;
  }
  const payload = at + 16;
  const chunks: Part[] = [];
  for (let start = payload; start < file.length; start += CHUNK) {
    const end = Math.min(file.length, start + CHUNK);
    chunks.push(
      { name: 'chunk', start, end: end - 16 },
      { name: 'tag', start: end - 16, end },
    );
  }
  return [
    ...lines,
    { name: 'nonce', start: at, end: payload },
    ...chunks
      .slice(0, 2)
      .map(part => ({ ...part, name: `first ${part.name}` })),
    ...chunks
      .slice(2, 4)
      .map(part => ({ ...part, name: `middle ${part.name}` })),
    ...chunks.slice(-2).map(part => ({ ...part, name: `last ${part.name}` })),
  ];
}

/** An age file's header and its chunks. */
export function chunksOfAge(file: Buffer): { head: Buffer; chunks: Buffer[] } {
  const nonce = partsOfAge(file).find(({ name }) => name === 'nonce')!;
  const chunks: Buffer[] = [];
  for (let at = nonce.end; at < file.length; at += CHUNK) {
    chunks.push(file.subarray(at, at + CHUNK));
  }
  return { head: file.subarray(0, nonce.end), chunks };
}

/** What is inside the encryption, where there is one. */
export async function decrypted({
  name,
  bytes,
  identity,
}: Fixture): Promise<Buffer> {
  if (!parseArchiveName(name)!.encrypted) return bytes;
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return Buffer.from(await decrypter.decrypt(bytes));
}

export async function encrypted(
  bytes: Buffer,
  recipient: string,
): Promise<Buffer> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(bytes));
}

export function unpacked(bytes: Buffer): Buffer {
  return bytes[0] === 0x1f
    ? zlib.gunzipSync(bytes)
    : zlib.zstdDecompressSync(bytes);
}

/** Packs a tar as archives are packed. */
export function packed(tar: Buffer): Buffer {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(zlib.crc32(tar), 0);
  trailer.writeUInt32LE(tar.length, 4);
  return Buffer.concat([
    GZIP_HEADER,
    zlib.deflateRawSync(tar, { level: 1 }),
    trailer,
  ]);
}

/** An entry of a tar: its headers, its content, and what fills its last block. */
export interface Entry {
  name: string;
  type: string;
  header: Buffer;
  content: Buffer;
  padding: Buffer;
}

export function entriesOf(tar: Buffer): Entry[] {
  const entries: Entry[] = [];
  for (let at = 0; tar[at] !== 0; ) {
    const header = tar.subarray(at, at + BLOCK);
    const size = parseInt(header.toString('latin1', 124, 136), 8);
    const end = at + BLOCK + size;
    const next = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    entries.push({
      name: header.toString('latin1', 0, 100).replace(/\0.*/s, ''),
      type: header.toString('latin1', 156, 157),
      header,
      content: tar.subarray(at + BLOCK, end),
      padding: tar.subarray(end, next),
    });
    at = next;
  }
  return entries;
}

/** A tar of these entries, ended as tars are. */
export function tarOf(entries: Entry[], end = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([
    ...entries.flatMap(({ header, content, padding }) => [
      header,
      content,
      padding,
    ]),
    end,
  ]);
}

/** Entries of a tar with one of them changed. */
export function withEntry(
  entries: Entry[],
  name: string,
  change: (entry: Entry) => Entry,
): Entry[] {
  return entries.map(entry => (entry.name === name ? change(entry) : entry));
}

/** The same entry with other content, its header and padding put right. */
export function withContent(entry: Entry, content: Buffer): Entry {
  const header = Buffer.from(entry.header);
  header.write(`${content.length.toString(8).padStart(11, '0')} `, 124);
  return {
    ...entry,
    header: resummed(header),
    content,
    padding: Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK),
  };
}

/** A header with its sum put right. */
export function resummed(header: Buffer): Buffer {
  const block = Buffer.from(header);
  block.fill(' ', 148, 156);
  const sum = block.reduce((a, b) => a + b, 0);
  block.write(`${sum.toString(8).padStart(6, '0')} \0`, 148);
  return block;
}

/** The same bytes with one bit turned. */
export function flipped(bytes: Buffer, at: number, bit = at % 8): Buffer {
  const other = Buffer.from(bytes);
  other[at] ^= 1 << bit;
  return other;
}

/** Places all over a part: its ends and some between. */
export function placesIn({ start, end }: Part, most: number): number[] {
  const count = Math.min(most, end - start);
  const step = (end - 1 - start) / Math.max(1, count - 1);
  return Array.from({ length: count }, (_, i) => Math.round(start + i * step));
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
