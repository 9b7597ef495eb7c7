import { Description } from '../archive';
import { ClusterAccess } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { gdcSecrets, GOOGLE_TOKEN_URL } from '../gdc';
import { MachineAccess } from '../machine';
import { knownHostsName } from '../machine/knownHosts';
import { firstEntries } from './archivedAccess';
import { ArchiveSource } from './restoreCluster';

/** What a person adds to what an archive says of its cluster's machines. @public */
export interface SshLogin {
  /** Private key, PEM or OpenSSH. An archive of the layout `gdc` has one. */
  privateKey?: string;
  passphrase?: string;
}

/**
 * How a cluster is reached, from its archive alone: for the day when nothing is configured any more. Its first entry is
 * read, and not proven; a restore reads the whole of it, and compares the machines with what it proved.
 *
 * @param name - what the person calls the cluster
 * @throws ClusterBackupError `archive-other-cluster`, `ssh-key-missing`, and those of reading an archive
 * @public
 */
export async function describedAccess(
  name: string,
  archive: ArchiveSource,
  options: { login?: SshLogin; signal?: AbortSignal } = {},
): Promise<ClusterAccess> {
  const { login = {}, signal = new AbortController().signal } = options;
  const { description } = await firstEntries(archive, signal);
  const { cluster, nodes, workers } = description;
  if (cluster.name !== name) throw otherCluster(name, description);
  if (cluster.layout === 'gdc') {
    const namespace = `cluster-${name}`;
    return {
      name,
      layout: 'gdc',
      resource: { name, namespace },
      ssh: { hostKeys: { mode: 'strict' }, ...login },
      secrets: gdcSecrets(namespace),
      gcpTokenUrl: GOOGLE_TOKEN_URL,
    };
  }
  const { privateKey, passphrase } = login;
  if (privateKey === undefined) throw keyMissing(description);
  const access = (machine: (typeof workers)[number]): MachineAccess => ({
    name: machine.name,
    address: machine.address,
    port: machine.port,
    user: machine.user ?? 'root',
    privateKey,
    passphrase,
    hostKeys: {
      mode: 'strict',
      knownHosts: `${knownHostsName(machine.address, machine.port ?? 22)} ${
        machine.hostKey
      }`,
    },
  });
  return {
    name,
    layout: 'kubeadm',
    controlPlane: nodes.map(access),
    workers: workers.map(access),
  };
}

function otherCluster(name: string, { cluster, createdAt }: Description) {
  return new ClusterBackupError({
    code: 'archive-other-cluster',
    message: `The archive is a backup of ${cluster.name} from ${createdAt}, not of ${name}.`,
    state: NOTHING_CHANGED,
    remedy: `Give an archive of ${name}, or ${cluster.name} as the cluster if that is what is meant.`,
    details: { cluster: cluster.name, createdAt },
  });
}

function keyMissing({ cluster, nodes }: Description) {
  const [{ name, address, user = 'root' }] = nodes;
  return new ClusterBackupError({
    code: 'ssh-key-missing',
    message: `The archive of ${cluster.name} says where its machines are, and has no SSH key: with the layout ${cluster.layout} that is not part of the cluster.`,
    state: NOTHING_CHANGED,
    remedy: `Give the private key that opens ${user}@${address} (${name}) and the others: --ssh-key FILE.`,
    details: { machines: nodes.map(node => node.name) },
  });
}
