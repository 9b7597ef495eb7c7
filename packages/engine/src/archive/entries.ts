import type { Header } from 'tar-stream';
import { EntryChecksum } from './checksums';
import { MAX_ID, MAX_PATH } from './limits';

/** A file of a node, as the archive keeps it. @public */
export interface NodeFileHeader {
  /** Absolute, on the node. */
  path: string;
  type: 'file' | 'symlink' | 'directory';
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

export const DESCRIPTION_ENTRY = 'backup.json';
export const SNAPSHOT_ENTRY = 'etcd/snapshot.db';
export const CHECKSUMS_ENTRY = 'checksums.json';
export const SIGNATURE_ENTRY = 'signature';

const BLOCK = 512;
/** What the six octal digits that tar-stream writes hold. */
const MAX_USTAR_ID = 0o777777;
const MAX_USTAR_MTIME = 2 ** 31 - 1;
const PAX_KEYS = ['path', 'linkpath', 'uid', 'gid', 'mtime'];

export function nodeEntryName(node: string, path: string): string {
  return `nodes/${node}${path}`;
}

export function parseNodeEntryName(
  name: string,
): { node: string; path: string } | undefined {
  const match = /^nodes\/([^/]+)(\/.+)$/s.exec(name);
  return match ? { node: match[1], path: match[2] } : undefined;
}

/**
 * What is wrong with a node's file, if anything is: an archive must unpack below its own directory and nowhere else.
 * `isLink` knows the links before it: nothing may be written through one.
 */
export function nodeFileProblem(
  header: NodeFileHeader,
  isLink: (path: string) => boolean,
): string | undefined {
  const { path, type, mode, uid, gid, size, mtime, linkname } = header;
  if (!isPlainAbsolute(path)) {
    return 'its path is not absolute and plain';
  }
  if (Buffer.byteLength(path) > MAX_PATH - 512) {
    return `its path is longer than ${MAX_PATH - 512} bytes`;
  }
  if (!['file', 'symlink', 'directory'].includes(type)) {
    return `it is no file, directory or symbolic link but ${type}`;
  }
  if (!isWhole(mode, 0o7777)) {
    return `its mode ${mode} is none`;
  }
  if (!isWhole(uid, MAX_ID) || !isWhole(gid, MAX_ID)) {
    return `its owner ${uid}:${gid} is none`;
  }
  if (!isWhole(size, Number.MAX_SAFE_INTEGER) || (type !== 'file' && size)) {
    return `its size ${size} is none`;
  }
  if (!Number.isSafeInteger(mtime)) {
    return `its time ${mtime} is none`;
  }
  for (
    let parent = path.lastIndexOf('/');
    parent > 0;
    parent = path.lastIndexOf('/', parent - 1)
  ) {
    if (isLink(path.slice(0, parent))) {
      return `it lies behind the symbolic link ${path.slice(0, parent)}`;
    }
  }
  if (type !== 'symlink') {
    return linkname ? 'it has a target but is no symbolic link' : undefined;
  }
  if (!linkname || linkname.includes('\0')) {
    return 'it is a symbolic link without a target';
  }
  if (Buffer.byteLength(linkname) > MAX_PATH) {
    return `its target is longer than ${MAX_PATH} bytes`;
  }
  return leavesRoot(path, linkname)
    ? `its target ${linkname} leads out of the node's root`
    : undefined;
}

function isWhole(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function isPlainAbsolute(path: string): boolean {
  return (
    path.startsWith('/') &&
    !path.includes('\0') &&
    path
      .slice(1)
      .split('/')
      .every(part => part !== '' && part !== '.' && part !== '..')
  );
}

function leavesRoot(path: string, target: string): boolean {
  let depth = target.startsWith('/') ? 0 : path.split('/').length - 2;
  for (const part of target.split('/')) {
    if (part === '..') {
      depth--;
    } else if (part !== '' && part !== '.') {
      depth++;
    }
    if (depth < 0) {
      return true;
    }
  }
  return false;
}

/** The header tar-stream is given for an entry. */
export function tarHeader(
  entry: Omit<EntryChecksum, 'sha256'>,
  mtime: number,
): Pick<Header, 'name'> & Partial<Header> {
  const { name, type, mode, uid, gid, size, linkname } = entry;
  const pax: Record<string, string> = {};
  if (uid > MAX_USTAR_ID) {
    pax.uid = String(uid);
  }
  if (gid > MAX_USTAR_ID) {
    pax.gid = String(gid);
  }
  const ustarMtime = Math.min(Math.max(mtime, 0), MAX_USTAR_MTIME);
  if (mtime !== ustarMtime) {
    pax.mtime = String(mtime);
  }
  return {
    name,
    type,
    // A mode of 0 would be taken for none; bits above the permissions are cut off later.
    mode: mode + 0o10000,
    uid,
    gid,
    size,
    mtime: new Date(ustarMtime * 1000),
    linkname,
    ...(Object.keys(pax).length > 0 && { pax }),
  };
}

/** An entry's header as tar-stream read it, with what it does not put in place itself. */
export type ReadHeader = Header & {
  pax: Record<string, string> | null;
  /** Where the entry's content begins. */
  byteOffset: number;
};

/** The same facts that a header was made of; `undefined` where it is of no kind that archives have. */
export function headerFacts(
  header: ReadHeader,
): (Omit<EntryChecksum, 'sha256'> & { mtime: number }) | undefined {
  const { name, type, mode, uid, gid, size, mtime, linkname, pax } = header;
  if (type !== 'file' && type !== 'directory' && type !== 'symlink') {
    return undefined;
  }
  if (pax && !Object.keys(pax).every(key => PAX_KEYS.includes(key))) {
    return undefined;
  }
  return {
    name,
    type,
    mode: mode,
    uid: pax?.uid === undefined ? uid : Number(pax.uid),
    gid: pax?.gid === undefined ? gid : Number(pax.gid),
    size: size,
    mtime:
      pax?.mtime === undefined ? mtime.getTime() / 1000 : Number(pax.mtime),
    ...(linkname && { linkname }),
  };
}

/** How many bytes of headers an entry has when it is written the only way the writer does. */
export function headerLength(header: ReadHeader): number {
  if (!header.pax) {
    return BLOCK;
  }
  const length = Object.entries(header.pax).reduce(
    (sum, [key, value]) => sum + paxRecordLength(key, value),
    0,
  );
  return BLOCK + padded(length) + BLOCK;
}

/** A pax record is `LENGTH KEY=VALUE\n`, its own length counted. */
function paxRecordLength(key: string, value: string): number {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let digits = 1;
  while (String(rest + digits).length > digits) {
    digits++;
  }
  return rest + digits;
}

/** Content fills whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Two blocks of zeros end a tar. */
export const END_OF_TAR = 2 * BLOCK;
