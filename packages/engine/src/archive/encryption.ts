import {
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import {
  Decrypter,
  Encrypter,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  archiveAltered,
  archiveKeyMissing,
  archiveNotOurs,
  archiveTruncated,
  archiveWrongKey,
} from './archiveErrors';
import { asBuffer, blocksOf } from './blocks';

/** The age format, version 1: https://age-encryption.org/v1 */
const CHUNK = 64 * 1024;
const TAG = 16;
const SEALED = CHUNK + TAG;
const PAYLOAD_NONCE = 16;
const MAGIC = 'age-encryption.org/v1\n';
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
/** Some forty post-quantum recipients, or hundreds of ordinary ones. */
const MAX_HEADER = 64 * 1024;
/** Chunks handled before anything is handed on. */
const BATCH = 16;

/**
 * Opens archives: age identities (`AGE-SECRET-KEY-1...`), or the file key of this one archive (16 bytes), which the
 * holder of an identity takes from the archive's header so that the identity itself stays where it is.
 *
 * @public
 */
export type ArchiveKeys = { identities: string[] } | { fileKey: Uint8Array };

/**
 * A new key pair for archives. The identity opens every archive encrypted to the recipient.
 *
 * @public
 */
export async function generateAgeKey(): Promise<{
  identity: string;
  recipient: string;
}> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/**
 * The identities in the text of an age key file, which may hold comments and empty lines.
 *
 * @throws ClusterBackupError `identity-invalid`; never with the text in it.
 * @public
 */
export function parseIdentities(text: string): string[] {
  const identities = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line && !line.startsWith('#'));
  decrypterFor({ identities });
  return identities;
}

/**
 * Whom to encrypt to, so that these identities open it.
 *
 * @public
 */
export async function recipientsOf(identities: string[]): Promise<string[]> {
  return Promise.all(identities.map(identityToRecipient));
}

/** An age header's worth of recipients, checked. */
export function encrypterFor(recipients: string[]): Encrypter {
  const refuse = (message: string) =>
    new ClusterBackupError({
      code: 'recipient-invalid',
      message,
      state: NOTHING_CHANGED,
      remedy:
        'Set the recipients to public keys as age-keygen prints them (age1...).',
    });
  if (recipients.length === 0) {
    throw refuse('An archive needs at least one recipient; none is set.');
  }
  const postQuantum = recipients.filter(r => r.startsWith('age1pq1')).length;
  if (postQuantum !== 0 && postQuantum !== recipients.length) {
    throw refuse(
      'Post-quantum recipients (age1pq1...) and others can not be mixed: the others would undo what they protect.',
    );
  }
  const encrypter = new Encrypter();
  recipients.forEach((recipient, index) => {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      // A secret key pasted in the wrong place must not end in a log.
      const shown = recipient.startsWith('age1') ? ` (${recipient})` : '';
      throw refuse(
        `Recipient ${index + 1} of ${
          recipients.length
        }${shown} is no age recipient.`,
      );
    }
  });
  return encrypter;
}

/**
 * Encrypts with a file key and a payload nonce of its own.
 *
 * @param learn - is given the file key, and wipes it
 */
export async function* ageEncrypt(
  source: AsyncIterable<Uint8Array>,
  encrypter: Encrypter,
  learn: (fileKey: Uint8Array) => void = fileKey => fileKey.fill(0),
): AsyncGenerator<Buffer, void, undefined> {
  let fileKey: Uint8Array | undefined;
  let key: Buffer | undefined;
  // The library makes the header and wraps the file key; one more recipient, which adds nothing to the header,
  // learns the key. The payload is not the library's: in JavaScript it runs at a quarter of the speed.
  encrypter.addRecipient({
    wrapFileKey: given => {
      fileKey = given.slice();
      return [];
    },
  });
  try {
    const empty = await encrypter.encrypt(new Uint8Array(0));
    yield Buffer.from(empty.subarray(0, empty.length - PAYLOAD_NONCE - TAG));

    const nonce = randomBytes(PAYLOAD_NONCE);
    yield nonce;
    key = payloadKey(fileKey!, nonce);
    learn(fileKey!);
    // From here on it is theirs.
    fileKey = undefined;
    const counter = chunkCounter();
    let held: Buffer | undefined;
    for await (const block of blocksOf(source, CHUNK * BATCH)) {
      const bytes = held ? Buffer.concat([held, block]) : block;
      // The last chunk is sealed differently, and which one is last is known only afterwards.
      const whole = Math.floor((bytes.length - 1) / CHUNK) * CHUNK;
      const sealed: Buffer[] = [];
      for (let offset = 0; offset < whole; offset += CHUNK) {
        const chunk = bytes.subarray(offset, offset + CHUNK);
        seal(chunk, key, counter(false), sealed);
      }
      held = bytes.subarray(whole);
      if (sealed.length > 0) {
        yield Buffer.concat(sealed);
      }
    }
    const sealed: Buffer[] = [];
    seal(held ?? Buffer.alloc(0), key, counter(true), sealed);
    yield Buffer.concat(sealed);
  } finally {
    key?.fill(0);
    fileKey?.fill(0);
  }
}

/** Decrypts, and proves the end: nothing that it gave is to be trusted before it returns. */
export async function* ageDecrypt(
  source: AsyncIterable<Uint8Array>,
  keys: ArchiveKeys | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const opener = keys && decrypterFor(keys);
  const iterator = source[Symbol.asyncIterator]();
  let key: Buffer | undefined;
  try {
    const { header, rest } = await readHeader(iterator);
    if (!opener) {
      throw archiveKeyMissing();
    }
    const fileKey = await opener(header);
    let start = rest;
    while (start.length < PAYLOAD_NONCE) {
      const { done, value } = await iterator.next();
      if (done) {
        throw archiveTruncated(
          'The archive ends inside its encryption header.',
        );
      }
      start = Buffer.concat([start, value]);
    }
    key = payloadKey(fileKey, start.subarray(0, PAYLOAD_NONCE));
    if (keys && 'identities' in keys) fileKey.fill(0);
    const payload = followedBy(start.subarray(PAYLOAD_NONCE), iterator);
    const counter = chunkCounter();
    let chunks = 0;
    let held: Buffer = Buffer.alloc(0);
    for await (const block of blocksOf(payload, SEALED * BATCH)) {
      const bytes = held.length > 0 ? Buffer.concat([held, block]) : block;
      const whole = Math.max(
        0,
        Math.floor((bytes.length - 1) / SEALED) * SEALED,
      );
      const opened: Buffer[] = [];
      for (let offset = 0; offset < whole; offset += SEALED) {
        const chunk = bytes.subarray(offset, offset + SEALED);
        if (!open(chunk, key, counter(false), opened)) {
          throw archiveAltered(
            `The archive was altered: chunk ${
              chunks + 1
            } of 64 KiB does not authenticate.`,
          );
        }
        chunks++;
      }
      held = bytes.subarray(whole);
      if (opened.length > 0) {
        yield Buffer.concat(opened);
      }
    }
    const last: Buffer[] = [];
    if (!open(held, key, counter(true), last)) {
      throw endProblem(held, key, chunks);
    }
    if (last[0].length === 0 && chunks > 0) {
      throw archiveAltered('The archive ends with an empty chunk.');
    }
    yield last[0];
  } finally {
    key?.fill(0);
    await iterator.return?.();
  }
}

async function* followedBy(
  first: Buffer,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done) {
      return;
    }
    yield value;
  }
}

function endProblem(held: Buffer, key: Buffer, chunks: number) {
  if (held.length < TAG || open(held, key, chunkNonce(chunks, false), [])) {
    return archiveTruncated(
      `The archive is cut short: it ends after ${chunks} chunks of 64 KiB, before its last.`,
    );
  }
  if (held.length === SEALED) {
    return archiveAltered(
      `The archive was altered: chunk ${
        chunks + 1
      } of 64 KiB, its last, does not authenticate.`,
    );
  }
  return archiveTruncated(
    `The archive is cut short inside chunk ${
      chunks + 1
    } of 64 KiB, or that chunk, its last, was altered.`,
  );
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

function chunkCounter(): (last: boolean) => Buffer {
  let index = 0;
  return last => chunkNonce(index++, last);
}

/** Eleven bytes of counter, one that marks the last chunk. */
function chunkNonce(index: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

function seal(plain: Buffer, key: Buffer, nonce: Buffer, into: Buffer[]) {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, {
    authTagLength: TAG,
  });
  into.push(cipher.update(plain));
  cipher.final();
  into.push(cipher.getAuthTag());
}

function open(
  sealed: Buffer,
  key: Buffer,
  nonce: Buffer,
  into: Buffer[],
): boolean {
  if (sealed.length < TAG) {
    return false;
  }
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, {
    authTagLength: TAG,
  });
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG));
  try {
    decipher.final();
  } catch {
    return false;
  }
  into.push(plain);
  return true;
}

async function readHeader(
  iterator: AsyncIterator<Uint8Array>,
): Promise<{ header: Buffer; rest: Buffer }> {
  let bytes: Buffer = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await iterator.next();
    if (!done) {
      bytes =
        bytes.length > 0 ? Buffer.concat([bytes, value]) : asBuffer(value);
    }
    refuseOtherFiles(bytes);
    const mac = bytes.subarray(0, MAX_HEADER).indexOf('\n--- ');
    const end = mac < 0 ? -1 : bytes.indexOf('\n', mac + 1);
    if (end >= 0) {
      return {
        header: bytes.subarray(0, end + 1),
        rest: bytes.subarray(end + 1),
      };
    }
    if (done) {
      throw archiveTruncated(
        bytes.length === 0
          ? 'The archive is an empty file.'
          : 'The archive ends inside its encryption header.',
      );
    }
    if (bytes.length > MAX_HEADER) {
      throw archiveAltered(
        `The archive's encryption header does not end within ${MAX_HEADER} bytes.`,
      );
    }
  }
}

function refuseOtherFiles(bytes: Buffer) {
  const start = bytes.toString('latin1', 0, MAGIC.length);
  if (start === MAGIC.slice(0, start.length)) {
    return;
  }
  if (ARMOR.startsWith(start.slice(0, ARMOR.length))) {
    throw archiveNotOurs(
      'This is an age file in text form (armored); archives of this program are binary.',
      'Choose the original file, or turn this one back into binary age.',
    );
  }
  throw archiveNotOurs(
    'This file begins neither as an age file does nor as gzip or zstd, so it is no archive of this program.',
  );
}

/** What opens a header: checks the keys at once, the header when it is there. */
function decrypterFor(
  keys: ArchiveKeys,
): (header: Buffer) => Promise<Uint8Array> {
  const decrypter = new Decrypter();
  let recipients = 0;
  let noneMatched = false;
  if ('fileKey' in keys) {
    if (keys.fileKey.length !== 16) {
      throw identityInvalid('A file key has 16 bytes.');
    }
    const fileKey = keys.fileKey;
    decrypter.addIdentity({
      unwrapFileKey: stanzas => {
        recipients = stanzas.length;
        return fileKey;
      },
    });
  } else {
    if (keys.identities.length === 0) {
      throw identityInvalid('There is no identity to open the archive with.');
    }
    keys.identities.forEach((identity, index) => {
      try {
        decrypter.addIdentity(identity);
      } catch {
        throw identityInvalid(
          `Identity ${index + 1} of ${
            keys.identities.length
          } is no age identity.`,
        );
      }
    });
    // Asked last, and only when none before it matched.
    decrypter.addIdentity({
      unwrapFileKey: stanzas => {
        recipients = stanzas.length;
        noneMatched = true;
        return null;
      },
    });
  }
  return async header => {
    try {
      return await decrypter.decryptHeader(header);
    } catch (error) {
      const encryptedTo = `The archive is encrypted to ${recipients} recipient${
        recipients === 1 ? '' : 's'
      }`;
      if (noneMatched) {
        throw archiveWrongKey(
          `${encryptedTo}, and none of the identities given opens it.`,
          recipients,
        );
      }
      if ('fileKey' in keys && recipients > 0) {
        throw archiveWrongKey(
          `${encryptedTo}, and the file key given is not this archive's, or its header was altered.`,
          recipients,
        );
      }
      throw archiveAltered(
        "The archive's encryption header was altered.",
        undefined,
        error,
      );
    }
  };
}

function identityInvalid(message: string) {
  return new ClusterBackupError({
    code: 'identity-invalid',
    message,
    state: NOTHING_CHANGED,
    remedy:
      'Give the line that begins with AGE-SECRET-KEY-1 of the file that age-keygen wrote.',
  });
}
