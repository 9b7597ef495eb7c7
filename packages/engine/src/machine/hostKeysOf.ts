import { fingerprint } from './hostKeys';
import { knownHostsName, lookUpKnownHosts } from './knownHosts';
import { MachineAccess } from './Machine';

/** Fingerprints of the host keys that a machine may prove; none where it is trusted on first use, or cannot be told. */
export function hostKeysOf(access: MachineAccess): string[] {
  const { pinned = [], knownHosts } = access.hostKeys;
  if (pinned.length) return [...pinned].sort();
  if (!knownHosts) return [];
  try {
    const name = knownHostsName(access.address, access.port ?? 22);
    const { keys } = lookUpKnownHosts(knownHosts, name);
    return keys.map(({ blob }) => fingerprint(blob)).sort();
  } catch {
    // It says what to do about it when a machine is connected to.
    return [];
  }
}
