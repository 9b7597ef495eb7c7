import { createHash } from 'node:crypto';

const PAGE = 4096;
const META = 0x04;
const FREELIST = 0x10;
const LEAF = 0x02;
/** What bbolt begins its meta pages with, and the version of its format (bbolt, db.go). */
const MAGIC = 0xed0cdaed;
const VERSION = 2;

const IS_BUCKET = 0x01;
/** `etcdutl` writes into the second; etcd itself makes the others. */
const BUCKETS = ['key', 'meta'];

/**
 * A snapshot of an etcd that holds nothing: a bbolt database (two meta pages, an empty freelist, a root with two empty
 * buckets), and its SHA-256 behind it as `etcdctl snapshot save` writes it. `etcdutl snapshot restore` makes a member
 * of it as of any other.
 */
export function emptySnapshot(): Buffer {
  const pages = Buffer.concat([meta(0), meta(1), page(2, FREELIST), root(3)]);
  return Buffer.concat([pages, createHash('sha256').update(pages).digest()]);
}

function page(id: number, flags: number): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeUInt32LE(id, 0);
  bytes.writeUInt16LE(flags, 8);
  return bytes;
}

/** A leaf whose elements come first, their keys and values after them; an empty bucket is kept inside its value. */
function root(id: number): Buffer {
  const bytes = page(id, LEAF);
  bytes.writeUInt16LE(BUCKETS.length, 10);
  const emptyBucket = Buffer.concat([Buffer.alloc(16), page(0, LEAF)]).subarray(
    0,
    32,
  );
  let end = 16 + 16 * BUCKETS.length;
  for (const [at, name] of BUCKETS.entries()) {
    const element = 16 + 16 * at;
    bytes.writeUInt32LE(IS_BUCKET, element);
    bytes.writeUInt32LE(end - element, element + 4);
    bytes.writeUInt32LE(name.length, element + 8);
    bytes.writeUInt32LE(emptyBucket.length, element + 12);
    bytes.write(name, end, 'latin1');
    emptyBucket.copy(bytes, end + name.length);
    end += name.length + emptyBucket.length;
  }
  return bytes;
}

/** Page and transaction have the same number. */
function meta(id: number): Buffer {
  const bytes = page(id, META);
  const fields = bytes.subarray(16, 16 + 64);
  fields.writeUInt32LE(MAGIC, 0);
  fields.writeUInt32LE(VERSION, 4);
  fields.writeUInt32LE(PAGE, 8);
  fields.writeBigUInt64LE(3n, 16); // the root's page
  fields.writeBigUInt64LE(2n, 32); // the freelist's
  fields.writeBigUInt64LE(4n, 40); // the first page that there is not
  fields.writeBigUInt64LE(BigInt(id), 48);
  fields.writeBigUInt64LE(fnv1a(fields.subarray(0, 56)), 56);
  return bytes;
}

/** The checksum of a meta page: FNV-1a of 64 bits. */
function fnv1a(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return hash;
}
