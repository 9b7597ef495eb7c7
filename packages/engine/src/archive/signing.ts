import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { writeSecretFile } from './secretFile';

/** A signature with the key that made it, as it stands in files. */
export interface DetachedSignature {
  algorithm: 'Ed25519';
  /** Base64 of the SubjectPublicKeyInfo, DER. */
  publicKey: string;
  /** Base64, 64 bytes. */
  signature: string;
}

/**
 * Makes a new Ed25519 signing key in a new file: PEM, PKCS #8, mode 0600 from its first byte.
 *
 * @throws ClusterBackupError `signing-key-exists`, `signing-key-unusable`
 * @public
 */
export async function createSigningKeyFile(path: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    await writeSecretFile(
      path,
      privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') {
      throw new ClusterBackupError({
        code: 'signing-key-exists',
        message: `There is a file at ${path} already.`,
        state: 'It was left as it is.',
        remedy: 'Use the key in it, or choose another path for the new one.',
        details: { path },
      });
    }
    throw unusable(path, `it can not be written (${code})`, error);
  }
  return privateKey;
}

/**
 * Reads a signing key from a file.
 *
 * @throws ClusterBackupError `signing-key-missing`, `signing-key-unusable`
 * @public
 */
export async function loadSigningKeyFile(path: string): Promise<KeyObject> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new ClusterBackupError({
        code: 'signing-key-missing',
        message: `There is no signing key at ${path}.`,
        state: NOTHING_CHANGED,
        remedy: 'Make one, or correct the path in the configuration.',
        details: { path },
      });
    }
    throw unusable(path, `it can not be read (${code})`, error);
  }
  return signingKeyIn(text, path);
}

/**
 * Reads a signing key from its text in the configuration.
 *
 * @throws ClusterBackupError `signing-key-unusable`
 * @public
 */
export function parseSigningKey(text: string): KeyObject {
  return signingKeyIn(text, 'signingKey of the configuration');
}

function signingKeyIn(text: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    // The parser's own error may quote what it read.
    throw unusable(path, 'it holds no private key in PEM');
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw unusable(path, `it is of type ${key.asymmetricKeyType}, not ed25519`);
  }
  return key;
}

function unusable(path: string, why: string, cause?: unknown) {
  return new ClusterBackupError({
    code: 'signing-key-unusable',
    message: `The signing key at ${path} can not be used: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: 'Give a file that holds an Ed25519 private key in PEM (PKCS #8).',
    details: { path },
    cause,
  });
}

/**
 * Names a public key, or the public half of a private one: `SHA256:` and the base64, without padding, of the SHA-256
 * of its SubjectPublicKeyInfo.
 *
 * @public
 */
export function keyFingerprint(key: KeyObject): string {
  return spkiFingerprint(spki(key));
}

function spki(key: KeyObject): Buffer {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' });
}

function spkiFingerprint(der: Buffer): string {
  const digest = createHash('sha256').update(der).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

export function signMessage(
  message: Buffer,
  privateKey: KeyObject,
): DetachedSignature {
  return {
    algorithm: 'Ed25519',
    publicKey: spki(privateKey).toString('base64'),
    signature: sign(null, message, privateKey).toString('base64'),
  };
}

/** The fingerprint of the key that signed this message; `undefined` when none did. */
export function signerOf(
  message: Buffer,
  { publicKey, signature }: DetachedSignature,
): string | undefined {
  const der = Buffer.from(publicKey, 'base64');
  const signed = Buffer.from(signature, 'base64');
  // Base64 has bits that nothing depends on.
  if (
    der.toString('base64') !== publicKey ||
    signed.toString('base64') !== signature
  ) {
    return undefined;
  }
  try {
    const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' &&
      // One key, one encoding: a fingerprint must not depend on how the same key is written down.
      spki(key).equals(der) &&
      verify(null, message, key, signed)
      ? spkiFingerprint(der)
      : undefined;
  } catch {
    return undefined;
  }
}
