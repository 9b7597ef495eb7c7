import { createHash, createPublicKey } from 'node:crypto';

/**
 * SHA-256, in hex, of the public key (SubjectPublicKeyInfo, DER) of a PEM certificate, public key or private key.
 * Of a bundle, the first counts. A renewed certificate with the same key keeps its fingerprint.
 *
 * @public
 */
export function publicKeyFingerprint(pem: string | Buffer): string {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
