import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { archiveMessage } from '../checksums';
import { ageEncrypt, encrypterFor } from '../encryption';
import { signMessage } from '../signing';
import { sampleDescription, signingKey } from './sampleArchive';
import { collected, inPieces } from './streams';

/** An entry as tar-stream takes it, with the bytes in it. */
export interface ForgedEntry {
  name: string;
  content?: Buffer;
  type?:
    | 'file'
    | 'directory'
    | 'symlink'
    | 'link'
    | 'character-device'
    | 'fifo';
  linkname?: string;
  mode?: number;
  pax?: Record<string, string>;
}

/** What somebody who knows the recipients can make: everything fits together, whatever is in it. */
export interface Forgery {
  description?: object;
  /** Between description and snapshot. */
  entries?: ForgedEntry[];
  /** Changes what was made last. */
  edit?: (entries: ForgedEntry[]) => ForgedEntry[];
  checksums?: (checksums: any) => object;
  tarTail?: Buffer;
}

const SNAPSHOT = Buffer.from('the snapshot');

export async function forgeTar(forgery: Forgery): Promise<Buffer> {
  const description = json(
    forgery.description ?? sampleDescription(SNAPSHOT.length),
  );
  const before: ForgedEntry[] = [
    { name: 'backup.json', content: description },
    ...(forgery.entries ?? []),
    { name: 'etcd/snapshot.db', content: SNAPSHOT },
  ];
  const honest = {
    formatVersion: 1,
    entries: before.map(({ name, content, type = 'file', linkname, mode }) => ({
      name,
      type,
      mode: mode ?? 0o600,
      uid: 0,
      gid: 0,
      size: content?.length ?? 0,
      ...(type === 'file' && { sha256: sha256(content ?? Buffer.alloc(0)) }),
      ...(linkname && { linkname }),
    })),
    facts: { revision: 1, snapshotSha256: sha256(SNAPSHOT) },
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
  const tar = pack();
  const bytes = collected(tar as AsyncIterable<Uint8Array>);
  for (const entry of forgery.edit?.(entries) ?? entries) {
    const { content = Buffer.alloc(0), mode = 0o600, ...header } = entry;
    const whole = {
      type: 'file' as const,
      ...header,
      mode,
      mtime: new Date(0),
    };
    if (whole.type === 'file') {
      tar.entry(whole as any, content);
    } else {
      tar.entry(whole as any);
    }
  }
  tar.finalize();
  return Buffer.concat([await bytes, forgery.tarTail ?? Buffer.alloc(0)]);
}

/** Any tar as an archive's outer layers have it. */
export async function wrap(tar: Buffer, recipient: string): Promise<Buffer> {
  return collected(
    ageEncrypt(inPieces(gzipSync(tar), 65536), encrypterFor([recipient])),
  );
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
