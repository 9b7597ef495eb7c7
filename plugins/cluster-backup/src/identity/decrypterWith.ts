import { Decrypter } from 'age-encryption';

/** What is wrong with what a person gave as identity. */
export type IdentityProblem =
  | 'none'
  | 'unknown'
  | 'encrypted'
  | 'recipient'
  | 'insecurePage'
  | 'noMatch'
  | 'noRecipient'
  | 'headerBroken';

/** Thrown before anything has left the browser. */
export class IdentityError extends Error {
  constructor(readonly problem: IdentityProblem) {
    super(problem);
    this.name = 'IdentityError';
  }
}

/** @throws IdentityError where what was given is no identity, or this is no place to use one */
export function decrypterWith(identities: string): Decrypter {
  // Browsers have SubtleCrypto on secure pages only.
  if (!globalThis.crypto?.subtle) {
    throw new IdentityError('insecurePage');
  }
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

/** Why a decrypter did not open something. */
export function whyNotOpened(error: Error): IdentityError {
  const isMismatch = String(error?.message).startsWith('no identity matched');
  return new IdentityError(isMismatch ? 'noMatch' : 'headerBroken');
}
