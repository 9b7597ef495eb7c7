import { MAX_ID, MAX_PATH } from './limits';
import { TarHeader } from './tar';

/** A file of a node, as the archive keeps it. @public */
export interface NodeFileHeader extends Omit<TarHeader, 'name'> {
  /** Absolute, on the node. */
  path: string;
}

export const DESCRIPTION_ENTRY = 'backup.json';
/** Objects that the cluster is known by to whoever manages it, as a Kubernetes List. */
export const OBJECTS_ENTRY = 'cluster/objects.json';
/** What precedes the names of nodes' files. */
export const NODES = 'nodes/';
export const SNAPSHOT_ENTRY = 'etcd/snapshot.db';
export const CHECKSUMS_ENTRY = 'checksums.json';
export const SIGNATURE_ENTRY = 'signature';

export function nodeEntryName(node: string, path: string): string {
  return `${NODES}${node}${path}`;
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

/** The header of an entry that is no node's file; `createdAt` is the description's. */
export function ownEntry(
  name: string,
  size: number,
  createdAt: string,
): TarHeader {
  const mtime = Math.floor(Date.parse(createdAt) / 1000);
  return { name, type: 'file', mode: 0o600, uid: 0, gid: 0, size, mtime };
}
