import { DescribedKeys } from '../archive';
import { ClusterBackupError } from '../errors';
import { sshKeyFingerprint } from '../machine';
import { gcpKeysOf } from './gcpKeys';
import { GdcCluster } from './GdcCluster';
import { findSshKey } from './gdcMachines';

/** Which keys of a cluster are in its Secrets, and so in an archive of it. */
export function describedKeys(cluster: GdcCluster): DescribedKeys {
  return { ssh: sshKeyOf(cluster), gcp: gcpKeysOf(cluster) };
}

function sshKeyOf({ access, objects }: GdcCluster): DescribedKeys['ssh'] {
  const found = findSshKey(access, objects);
  if (!found) return undefined;
  const { privateKey, from: secret } = found;
  const { ssh, name } = access;
  // A passphrase that is configured belongs to the key that is used.
  const passphrase = ssh.privateKey ? undefined : ssh.passphrase;
  const { user = 'root' } = ssh;
  try {
    const fingerprint = sshKeyFingerprint({
      name,
      user,
      privateKey,
      passphrase,
    });
    return { secret, fingerprint };
  } catch (error) {
    // Nobody logs in with it: what is used is configured.
    if (error instanceof ClusterBackupError) return undefined;
    throw error;
  }
}
