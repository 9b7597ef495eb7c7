import { createHash } from 'node:crypto';
import {
  integer,
  list,
  object,
  oneOf,
  optional,
  parseJson,
  text,
} from './jsonShape';
import { MAX_ENTRIES, MAX_ID, MAX_PATH } from './limits';
import { DetachedSignature } from './signing';
import { TarHeader } from './tar';

/** What is known of one entry; where the archive says otherwise, it was altered. @public */
export interface EntryChecksum extends TarHeader {
  /** Hex; of files only. */
  sha256?: string;
}

/** What was established while the snapshot passed. @public */
export interface SnapshotFacts {
  /** etcd's revision that the snapshot holds. */
  revision: number;
  /** SHA-256, hex, of the whole file `etcd/snapshot.db`. */
  snapshotSha256: string;
}

/** `checksums.json`: every entry before it, in the order of the archive. @public */
export interface Checksums {
  formatVersion: 1;
  entries: EntryChecksum[];
  facts: SnapshotFacts;
}

export const factsShape = object({
  revision: integer(0, Number.MAX_SAFE_INTEGER),
  snapshotSha256: text({ pattern: /^[0-9a-f]{64}$/, what: 'SHA-256 in hex' }),
});

const checksumsShape = object({
  formatVersion: oneOf(1),
  entries: list(
    object({
      name: text({ max: MAX_PATH }),
      type: oneOf('file', 'directory', 'symlink'),
      mode: integer(0, 0o7777),
      uid: integer(0, MAX_ID),
      gid: integer(0, MAX_ID),
      size: integer(0, Number.MAX_SAFE_INTEGER),
      mtime: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      sha256: optional(
        text({ pattern: /^[0-9a-f]{64}$/, what: 'SHA-256 in hex' }),
      ),
      linkname: optional(text({ max: MAX_PATH })),
    }),
    { min: 1, max: MAX_ENTRIES },
  ),
  facts: factsShape,
});

export function parseChecksums(bytes: Buffer): Checksums {
  return parseJson(bytes, checksumsShape);
}

/** What the signature inside an archive is over. */
export function archiveMessage(
  descriptionBytes: Buffer,
  checksumsBytes: Buffer,
): Buffer {
  return Buffer.from(
    `cluster-backup archive v1\n${sha256(descriptionBytes)}\n${sha256(
      checksumsBytes,
    )}\n`,
  );
}

export const signatureFields = {
  algorithm: oneOf('Ed25519'),
  publicKey: text({
    max: 100,
    pattern: /^[A-Za-z0-9+/]+={0,2}$/,
    what: 'base64',
  }),
  signature: text({
    max: 100,
    pattern: /^[A-Za-z0-9+/]+={0,2}$/,
    what: 'base64',
  }),
};

/** Reads the entry `signature`. */
export function parseSignature(bytes: Buffer): DetachedSignature {
  return parseJson(bytes, object(signatureFields));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
