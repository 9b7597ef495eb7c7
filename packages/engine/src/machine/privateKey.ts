import { createPrivateKey, KeyObject } from 'node:crypto';
import type { ParsedKey } from 'ssh2';
import { ClusterBackupError } from '../errors';
import { MachineAccess } from './Machine';
import { utils } from './ssh2';

/** A private key, and who logs in with it where. */
export type KeyOfSomebody = Pick<
  MachineAccess,
  'name' | 'user' | 'privateKey' | 'passphrase'
>;

/**
 * Reads a private key: OpenSSH's own format, PKCS#1, SEC1 and PKCS#8, with or without a passphrase.
 * ssh2 1.17 does not read PKCS#8, so that everything but OpenSSH's format passes through node:crypto.
 *
 * A passphrase on OpenSSH's format costs up to a second of CPU here (bcrypt).
 *
 * @throws ClusterBackupError `ssh-key-unreadable`
 */
export function readPrivateKey(access: KeyOfSomebody): ParsedKey {
  const { passphrase } = access;
  const text = `${access.privateKey.replaceAll('\r\n', '\n').trim()}\n`;
  try {
    const isOpenSsh = text.startsWith('-----BEGIN OPENSSH PRIVATE KEY-----');
    const parsed = isOpenSsh
      ? utils.parseKey(text, passphrase)
      : utils.parseKey(
          forSsh2(createPrivateKey({ key: text, format: 'pem', passphrase })),
        );
    if (parsed instanceof Error) {
      throw parsed;
    }
    const key = Array.isArray(parsed) ? parsed[0] : parsed;
    if (!key.isPrivateKey()) {
      throw new Error('it holds a public key only');
    }
    return key;
  } catch (error) {
    throw unreadable(access, error);
  }
}

function forSsh2(key: KeyObject): string {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ format: 'pem', type: 'pkcs1' }).toString();
    case 'ec':
      return key.export({ format: 'pem', type: 'sec1' }).toString();
    case 'ed25519':
      return openSshEd25519(key);
    default:
      throw new Error(
        `keys of type ${key.asymmetricKeyType} are not supported`,
      );
  }
}

/** openssh-portable, PROTOCOL.key: unencrypted, one key, no comment. */
function openSshEd25519(key: KeyObject): string {
  const jwk = key.export({ format: 'jwk' });
  const publicPart = Buffer.from(jwk.x!, 'base64url');
  const seed = Buffer.from(jwk.d!, 'base64url');
  const none = string('none');
  const publicKey = Buffer.concat([string('ssh-ed25519'), string(publicPart)]);
  const checkInts = Buffer.alloc(8);
  const keyPair = Buffer.concat([seed, publicPart]);
  const counted = string(keyPair);
  const secret = Buffer.concat([checkInts, publicKey, counted, string('')]);
  const padding = Buffer.from(
    Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1),
  );
  const padded = Buffer.concat([secret, padding]);
  const whole = string(padded);
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    none,
    none,
    string(''),
    uint32(1),
    string(publicKey),
    whole,
  ]);
  try {
    return [
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      ...body.toString('base64').match(/.{1,70}/g)!,
      '-----END OPENSSH PRIVATE KEY-----',
      '',
    ].join('\n');
  } finally {
    for (const bytes of [seed, keyPair, counted, secret, padded, whole, body]) {
      bytes.fill(0);
    }
  }
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function string(value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function unreadable(access: KeyOfSomebody, cause: unknown): ClusterBackupError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const hasPassphrase = access.passphrase !== undefined;
  return new ClusterBackupError({
    code: 'ssh-key-unreadable',
    message: `The private SSH key for ${access.user} on ${access.name} cannot be read: ${reason}.`,
    state: `${access.name} was not contacted.`,
    remedy: hasPassphrase
      ? 'Check that the passphrase belongs to this key, and that the key is complete (ssh-keygen -yf FILE prints its public half).'
      : 'Check that the key is complete (ssh-keygen -yf FILE prints its public half); if it has a passphrase, configure it. Supported: Ed25519, ECDSA and RSA keys as OpenSSH or PEM; not certificates, not FIDO keys.',
    details: { machine: access.name, user: access.user },
  });
}
