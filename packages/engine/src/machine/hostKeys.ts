import { createHash } from 'node:crypto';
import { ClusterBackupError } from '../errors';
import {
  HostKey,
  hostKeyType,
  knownHostsName,
  lookUpKnownHosts,
  UnreadableRevocation,
} from './knownHosts';
import { MachineAccess } from './Machine';

/** In our order of preference. SHA-1 signatures (`ssh-rsa`) are not among them. */
const ALGORITHMS_BY_TYPE: Record<string, string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** What is to be done with a key that a machine presents. */
export type HostKeyVerdict =
  | { accepted: true; isNew: boolean }
  | {
      accepted: false;
      error: ClusterBackupError;
      /** The machine may hold another key, of a type not seen yet, that is the right one. */
      tryOtherTypes: boolean;
    };

/** Judges the host keys of one machine by its rule. */
export interface HostKeyJudge {
  /** Key types to ask the machine for, those that are known for it first, as OpenSSH does. */
  types: string[];
  judge(blob: Buffer): HostKeyVerdict;
}

/** `SHA256:...` as ssh-keygen prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256')
    .update(blob)
    .digest('base64')
    .replace(/=+$/, '')}`;
}

/** As {@link fingerprint}, of a line `TYPE BASE64`. */
export function fingerprintOf(publicKey: string): string {
  return fingerprint(Buffer.from(publicKey.split(' ')[1] ?? '', 'base64'));
}

/** The names under which the key types are negotiated. */
export function hostKeyAlgorithms(types: string[]): string[] {
  return types.flatMap(type => ALGORITHMS_BY_TYPE[type] ?? []);
}

/** The line to add to known_hosts for a key. */
export function knownHostsLine(access: MachineAccess, blob: Buffer): string {
  return `${knownHostsName(access.address, access.port ?? 22)} ${publicKeyLine(
    blob,
  )}`;
}

/** `ssh-ed25519 AAAA...` */
export function publicKeyLine(blob: Buffer): string {
  return `${hostKeyType(blob)} ${blob.toString('base64')}`;
}

/**
 * Reads a machine's rule.
 *
 * @throws ClusterBackupError `known-hosts-unreadable`
 */
export function hostKeyJudge(access: MachineAccess): HostKeyJudge {
  const allTypes = Object.keys(ALGORITHMS_BY_TYPE);
  const { pinned = [] } = access.hostKeys;
  if (pinned.length > 0) {
    const accepted = pinned.map(value => value.replace(/=+$/, ''));
    return {
      types: allTypes,
      judge: blob =>
        accepted.includes(fingerprint(blob))
          ? { accepted: true, isNew: false }
          : {
              accepted: false,
              error: changed(access, blob, accepted),
              tryOtherTypes: true,
            },
    };
  }

  const known = lookUp(access);
  const knownTypes = new Set(known.keys.map(key => key.type));
  return {
    types: [
      ...allTypes.filter(type => knownTypes.has(type)),
      ...allTypes.filter(type => !knownTypes.has(type)),
    ],
    judge: blob => {
      const refuse = (error: ClusterBackupError): HostKeyVerdict => ({
        accepted: false,
        error,
        tryOtherTypes: false,
      });
      if (holds(known.revoked, blob)) {
        return refuse(revoked(access, blob));
      }
      if (holds(known.keys, blob)) {
        return { accepted: true, isNew: false };
      }
      if (known.keys.length > 0) {
        return refuse(
          changed(
            access,
            blob,
            known.keys.map(key => fingerprint(key.blob)),
          ),
        );
      }
      if (access.hostKeys.mode === 'trust-on-first-use') {
        return { accepted: true, isNew: true };
      }
      return refuse(unknown(access, blob, known.hasCertificateAuthority));
    },
  };
}

function holds(keys: HostKey[], blob: Buffer): boolean {
  return keys.some(key => key.blob.equals(blob));
}

function lookUp(access: MachineAccess) {
  try {
    return lookUpKnownHosts(
      access.hostKeys.knownHosts ?? '',
      knownHostsName(access.address, access.port ?? 22),
    );
  } catch (error) {
    if (!(error instanceof UnreadableRevocation)) {
      throw error;
    }
    throw new ClusterBackupError({
      code: 'known-hosts-unreadable',
      message: `The known_hosts text for ${access.name} cannot be trusted: ${error.message}.`,
      state: notConnected(access),
      remedy: `Correct line ${error.line} of known_hosts, or remove it if nothing is to be revoked.`,
      details: { machine: access.name, line: error.line },
    });
  }
}

function notConnected(access: MachineAccess): string {
  return `The connection to ${access.name} was ended before logging in; no command was run there.`;
}

function changed(
  access: MachineAccess,
  blob: Buffer,
  expected: string[],
): ClusterBackupError {
  const presented = fingerprint(blob);
  return new ClusterBackupError({
    code: 'host-key-changed',
    message: `${access.name} (${
      access.address
    }) presents the host key ${presented} (${hostKeyType(
      blob,
    )}), but ${expected.join(
      ' or ',
    )} is on record. Either the machine was rebuilt or its key replaced, or something answers in its place.`,
    state: notConnected(access),
    remedy: `Compare with the machine's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub (and the other key types). Only if ${presented} is printed there, replace the recorded key of ${access.address}.`,
    details: {
      machine: access.name,
      address: access.address,
      presented,
      expected,
      key: publicKeyLine(blob),
    },
  });
}

function unknown(
  access: MachineAccess,
  blob: Buffer,
  hasCertificateAuthority: boolean,
): ClusterBackupError {
  const presented = fingerprint(blob);
  const why = hasCertificateAuthority
    ? ' known_hosts vouches for it through a @cert-authority line; host certificates are not supported.'
    : '';
  return new ClusterBackupError({
    code: 'host-key-unknown',
    message: `${access.name} (${
      access.address
    }) presents the host key ${presented} (${hostKeyType(
      blob,
    )}), and no key is on record for it.${why}`,
    state: notConnected(access),
    remedy: `Compare with the machine's own console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add this line to known_hosts: ${knownHostsLine(
      access,
      blob,
    )}`,
    details: {
      machine: access.name,
      address: access.address,
      presented,
      key: publicKeyLine(blob),
    },
  });
}

function revoked(access: MachineAccess, blob: Buffer): ClusterBackupError {
  const presented = fingerprint(blob);
  return new ClusterBackupError({
    code: 'host-key-revoked',
    message: `${access.name} (${access.address}) presents the host key ${presented}, which known_hosts marks as revoked.`,
    state: notConnected(access),
    remedy: `Treat the machine as compromised until it is explained. Give it a new host key and record that one.`,
    details: { machine: access.name, address: access.address, presented },
  });
}
