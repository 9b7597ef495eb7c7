import { Decrypter } from 'age-encryption';

/** What is wrong with what a person gave as identity. */
export type IdentityProblem =
  | 'none'
  | 'unknown'
  | 'encrypted'
  | 'recipient'
  | 'insecurePage'
  | 'noMatch'
  | 'headerBroken';

/** Thrown before anything has left the browser. */
export class IdentityError extends Error {
  constructor(readonly problem: IdentityProblem) {
    super(problem);
    this.name = 'IdentityError';
  }
}

/**
 * Opens an archive's age header.
 *
 * @param identities - the text of an identity file
 * @returns the 16-byte file key, which opens this one archive and no other, as base64
 */
export async function fileKeyOf(
  header: Uint8Array,
  identities: string,
): Promise<string> {
  // Browsers have SubtleCrypto on secure pages only.
  if (!globalThis.crypto?.subtle) {
    throw new IdentityError('insecurePage');
  }
  const decrypter = decrypterWith(identities);
  const fileKey = await decrypter.decryptHeader(header).catch(error => {
    const isMismatch = String(error?.message).startsWith('no identity matched');
    throw new IdentityError(isMismatch ? 'noMatch' : 'headerBroken');
  });
  return btoa(String.fromCharCode(...fileKey));
}

function decrypterWith(identities: string): Decrypter {
  const lines = identities
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) {
    throw new IdentityError('none');
  }
  if (/^(-----BEGIN AGE ENCRYPTED FILE|age-encryption\.org)/.test(lines[0])) {
    throw new IdentityError('encrypted');
  }
  if (lines[0].startsWith('age1')) {
    throw new IdentityError('recipient');
  }
  const decrypter = new Decrypter();
  try {
    lines.forEach(line => decrypter.addIdentity(line));
  } catch {
    throw new IdentityError('unknown');
  }
  return decrypter;
}
