import {
  archiveAltered,
  archiveNotOurs,
  archiveTruncated,
} from './archiveErrors';
import { ByteReader } from './byteReader';
import { MAX_PATH } from './limits';

/** All that an entry of an archive's tar says of itself. @public */
export interface TarHeader {
  name: string;
  type: 'file' | 'directory' | 'symlink';
  /** Permission bits, setuid, setgid and sticky included. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes; 0 for all but files. */
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Of symlinks only. */
  linkname?: string;
}

/** An entry as it passes; its content is to be read before the next entry. */
export interface TarEntry {
  header: TarHeader;
  content: AsyncIterable<Buffer>;
}

const BLOCK = 512;
const TYPE_FLAGS = { file: '0', symlink: '2', directory: '5' } as const;
const PAX_FLAG = 'x';
/** Stands where a text does not fit, and names the header that holds it. */
const ELSEWHERE = 'PaxHeader';
/** A name, a target and three numbers. */
const MAX_PAX = 2 * MAX_PATH + 512;
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

/** Two blocks of zeros end a tar. */
export const END_OF_TAR = Buffer.alloc(2 * BLOCK);

/** What fills an entry's last block. */
export function paddingOf(size: number): Buffer {
  return END_OF_TAR.subarray(0, (BLOCK - (size % BLOCK)) % BLOCK);
}

/**
 * The header of an entry, POSIX ustar, in the one form that it has: whatever does not fit stands in an extended header
 * before it.
 */
export function encodeHeader(header: TarHeader): Buffer {
  const records: string[] = [];
  const text = (key: string, value: string) => {
    if (value.length <= 100 && Buffer.byteLength(value) === value.length) {
      return value;
    }
    records.push(paxRecord(key, value));
    return ELSEWHERE;
  };
  const number = (key: string, value: number, digits: number) => {
    if (value >= 0 && value < 8 ** digits) {
      return value;
    }
    records.push(paxRecord(key, String(value)));
    return 0;
  };
  const { type, mode, size } = header;
  const own = encodeBlock({
    name: text('path', header.name),
    flag: TYPE_FLAGS[type],
    mode,
    size,
    linkname: text('linkpath', header.linkname ?? ''),
    uid: number('uid', header.uid, 6),
    gid: number('gid', header.gid, 6),
    mtime: number('mtime', header.mtime, 11),
  });
  if (records.length === 0) {
    return own;
  }
  const extended = Buffer.from(records.join(''));
  return Buffer.concat([
    encodeBlock({
      name: ELSEWHERE,
      flag: PAX_FLAG,
      mode: 0o600,
      size: extended.length,
      linkname: '',
      uid: 0,
      gid: 0,
      mtime: 0,
    }),
    extended,
    paddingOf(extended.length),
    own,
  ]);
}

function encodeBlock(fields: {
  name: string;
  flag: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  linkname: string;
}): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number, at: number) =>
    block.write(`${value.toString(8).padStart(digits, '0')} `, at, 'latin1');
  block.write(fields.name, 0, 'latin1');
  octal(fields.mode, 6, 100);
  octal(fields.uid, 6, 108);
  octal(fields.gid, 6, 116);
  if (fields.size <= MAX_OCTAL_SIZE) {
    octal(fields.size, 11, 124);
  } else {
    block[124] = 0x80;
    block.writeBigUInt64BE(BigInt(fields.size), 128);
  }
  octal(fields.mtime, 11, 136);
  block.write(fields.flag, 156, 'latin1');
  block.write(fields.linkname, 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(checksum(block), 6, 148);
  return block;
}

/** The sum of all bytes, those of the sum itself taken for spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i < 148 || i >= 156) {
      sum += block[i];
    }
  }
  return sum;
}

/** A record is `LENGTH KEY=VALUE\n`, its own length counted. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  let digits = 1;
  while (String(length + digits).length > digits) {
    digits++;
  }
  return `${length + digits}${rest}`;
}

/**
 * Reads a tar to the last byte of what it is wrapped in. Takes only what {@link encodeHeader} writes, so that there is
 * no bit in it that nobody vouches for.
 *
 * @param first - the name of its first entry; with another one it is not ours
 */
export async function* readTar(
  bytes: ByteReader,
  first: string,
): AsyncGenerator<TarEntry, void, undefined> {
  refuseForeign(await bytes.peek(BLOCK), first);
  for (let before = 'its first entry'; ; ) {
    const header = await readHeader(bytes, before);
    if (!header) {
      return;
    }
    const content = contentOf(bytes, header);
    yield { header, content: content() };
    for await (const _ of content()) {
      // What nobody wanted.
    }
    const padding = paddingOf(header.size);
    refuseAfter(await bytes.take(padding.length), padding, header.name);
    before = `the entry after ${header.name}`;
  }
}

/** What gives an entry's content, and when it was left early gives the rest. */
function contentOf(bytes: ByteReader, { name, size }: TarHeader) {
  let left = size;
  return async function* content(): AsyncGenerator<Buffer, void, undefined> {
    while (left > 0) {
      const chunk = await bytes.some(left);
      if (!chunk) {
        throw archiveTruncated(
          `The tar in the archive ends inside an entry, ${name}.`,
        );
      }
      left -= chunk.length;
      yield chunk;
    }
  };
}

/** The next entry's header; `undefined` at the end, when nothing follows. */
async function readHeader(
  bytes: ByteReader,
  where: string,
): Promise<TarHeader | undefined> {
  let raw = await takeBlock(bytes, where);
  let extended: Buffer | undefined;
  if (isEmpty(raw)) {
    refuseAfter(await bytes.take(BLOCK), Buffer.alloc(BLOCK), 'its last entry');
    if (await bytes.some()) {
      throw archiveAltered('There are bytes after the end of the tar.');
    }
    return undefined;
  }
  if (flagOf(raw) === PAX_FLAG) {
    const size = numberIn(raw, 124, 12);
    if (!(size > 0 && size <= MAX_PAX)) {
      throw damaged(where);
    }
    extended = Buffer.from(await bytes.take(size));
    const padding = Buffer.from(await bytes.take(paddingOf(size).length));
    const own = await takeBlock(bytes, where);
    raw = Buffer.concat([raw, extended, padding, own]);
  }
  const header = decodeHeader(raw.subarray(-BLOCK), extended);
  if (!header || !encodeHeader(header).equals(raw)) {
    throw damaged(where);
  }
  return header;
}

async function takeBlock(bytes: ByteReader, where: string): Promise<Buffer> {
  const block = await bytes.take(BLOCK);
  if (block.length < BLOCK) {
    throw archiveTruncated(`The tar in the archive ends before ${where}.`);
  }
  return Buffer.from(block);
}

function refuseAfter(found: Buffer, expected: Buffer, what: string) {
  if (found.length < expected.length) {
    throw archiveTruncated(`The tar in the archive ends after ${what}.`);
  }
  if (!found.equals(expected)) {
    throw archiveAltered(`There is something hidden after ${what}.`);
  }
}

function damaged(where: string) {
  return archiveAltered(
    `The header of ${where} is not as archives have it: the tar in the archive is damaged, or another program wrote it.`,
  );
}

/** What the writer would have had to be given; careless, as what it says is encoded again and compared. */
function decodeHeader(
  block: Buffer,
  extended: Buffer | undefined,
): TarHeader | undefined {
  const type = (Object.keys(TYPE_FLAGS) as TarHeader['type'][]).find(
    each => TYPE_FLAGS[each] === flagOf(block),
  );
  if (!type) {
    return undefined;
  }
  const records = extended ? paxRecords(extended) : new Map<string, string>();
  const number = (key: string, at: number, length: number) =>
    records.has(key) ? Number(records.get(key)) : numberIn(block, at, length);
  const linkname = records.get('linkpath') ?? textIn(block, 157);
  const header = {
    name: records.get('path') ?? textIn(block, 0),
    type,
    mode: numberIn(block, 100, 8),
    uid: number('uid', 108, 8),
    gid: number('gid', 116, 8),
    size: numberIn(block, 124, 12),
    mtime: number('mtime', 136, 12),
    ...(linkname && { linkname }),
  };
  const { mode, uid, gid, size, mtime } = header;
  return [mode, uid, gid, size, mtime].every(Number.isSafeInteger)
    ? header
    : undefined;
}

function paxRecords(extended: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < extended.length; ) {
    const length = parseInt(extended.toString('latin1', at, at + 8), 10);
    const record = extended.toString('utf8', at, at + length);
    const match = /^\d+ ([a-z]+)=([^]*)\n$/.exec(record);
    if (!match) {
      break;
    }
    records.set(match[1], match[2]);
    at += length;
  }
  return records;
}

function flagOf(block: Buffer): string {
  return String.fromCharCode(block[156]);
}

/** A text field of 100 bytes. */
function textIn(block: Buffer, at: number): string {
  const field = block.toString('latin1', at, at + 100);
  const end = field.indexOf('\0');
  return end < 0 ? field : field.slice(0, end);
}

/** A number in octal, or in base 256. */
function numberIn(block: Buffer, at: number, length: number): number {
  return block[at] === 0x80
    ? Number(block.readBigUInt64BE(at + length - 8))
    : parseInt(block.toString('latin1', at, at + length), 8);
}

function isEmpty(block: Buffer): boolean {
  return block.every(byte => byte === 0);
}

function refuseForeign(block: Buffer, first: string) {
  if (block.length > 0 && textIn(block, 0) === first) {
    return;
  }
  const isTar =
    block.length === BLOCK && block.toString('latin1', 257, 262) === 'ustar';
  throw archiveNotOurs(
    isTar
      ? `This is a tar as \`bmctl backup cluster\` and others write them, and no archive of this program: it begins with ${textIn(
          block,
          0,
        )}, not with ${first}.`
      : 'What is packed in this file is no tar with anything in it, so it is no archive of this program.',
  );
}
