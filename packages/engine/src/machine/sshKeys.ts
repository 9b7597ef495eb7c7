import { fingerprint } from './hostKeys';
import { KeyOfSomebody, readPrivateKey } from './privateKey';

/** A line of authorized_keys: what is before the type are options. */
const AUTHORIZED =
  /(?:^|\s)(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w.@-]+\s+(AAAA[A-Za-z0-9+/]+=*)/;

/**
 * The public half of the private key that somebody logs in with, as ssh-keygen prints it: `SHA256:...`.
 *
 * @throws ClusterBackupError `ssh-key-unreadable`
 */
export function sshKeyFingerprint(access: KeyOfSomebody): string {
  return fingerprint(readPrivateKey(access).getPublicSSH());
}

/** The keys that an authorized_keys file lets in: `SHA256:...`. */
export function authorizedFingerprints(file: string): Set<string> {
  const found = new Set<string>();
  for (const line of file.split('\n')) {
    const key = line.trimStart().startsWith('#')
      ? undefined
      : line.match(AUTHORIZED)?.[1];
    if (key) found.add(fingerprint(Buffer.from(key, 'base64')));
  }
  return found;
}
