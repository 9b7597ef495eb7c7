import { DescribedKeys } from '../archive';
import {
  authorizedFingerprints,
  Machine,
  MachineAccess,
  sshKeyFingerprint,
} from '../machine';
import { Check, Finding, ofEach } from './Check';

// Where sshd looks by default. What is not there is nothing; there is no more than the first MiB to keep.
const READ = `home=$(getent passwd "$1" | cut -d: -f6)
for file in authorized_keys authorized_keys2; do
  if [ -f "$home/.ssh/$file" ]; then head -c 500000 "$home/.ssh/$file"; echo; fi
done`;

/** A restore out of the archive logs in with its key, and the restored cluster's controllers do. */
export const archiveSshKey: Check = {
  id: 'archive-ssh-key',
  title: 'The SSH key of the last backup opens every machine',
  async run({ cluster, lastBackup, signal }) {
    const key = lastBackup?.keys?.ssh;
    if (!key) return [];
    const fingerprints = new Map<string, string>();
    const others = cluster.outcomes.flatMap(({ access, machine }) => {
      if (!machine) return [];
      const { privateKey } = access;
      // Of a key with a passphrase it takes a second, and most machines have the same one.
      const used = fingerprints.get(privateKey) ?? sshKeyFingerprint(access);
      fingerprints.set(privateKey, used);
      // That who logged in with it got in needs no second look.
      if (used === key.fingerprint) return [];
      return [{ name: machine.name, machine, access, used }];
    });
    return ofEach(
      others,
      () => 'reservation',
      this.id,
      async ({ machine, access, used }) => {
        const authorized = await authorizedOn(machine, access, signal);
        if (authorized.has(key.fingerprint)) return [];
        return [finding(key, access, authorized.has(used))];
      },
    );
  },
};

async function authorizedOn(
  machine: Machine,
  { user }: MachineAccess,
  signal: AbortSignal,
): Promise<Set<string>> {
  const { stdout } = await machine.run(['sh', '-c', READ, 'sh', user], {
    signal,
  });
  return authorizedFingerprints(stdout);
}

/** Where the key that did open it is not in these files either, the machine looks elsewhere. */
function finding(
  { secret, fingerprint }: NonNullable<DescribedKeys['ssh']>,
  { name, user }: MachineAccess,
  isLookedUpThere: boolean,
): Finding {
  return {
    check: archiveSshKey.id,
    level: 'reservation',
    code: isLookedUpThere
      ? 'archive-ssh-key-refused'
      : 'archive-ssh-key-not-known',
    machine: name,
    message: isLookedUpThere
      ? `The SSH key of the last backup (Secret ${secret}, ${fingerprint}) does not open ${name} any more: it is not in authorized_keys of ${user} there.`
      : `The SSH key of the last backup (Secret ${secret}, ${fingerprint}) is not the one that is used now, and whether it opens ${name} is not known: sshd there does not read authorized_keys of ${user}.`,
    remedy:
      'Back up again: the next backup has the key of now. Until then keep that key where the cluster is not.',
  };
}
