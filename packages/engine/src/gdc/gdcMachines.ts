import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { HostKeyRule, MachineAccess } from '../machine';
import { GdcAccess, SecretName } from './GdcAccess';
import { GdcCluster, KubernetesObject } from './GdcCluster';
import { clusterIn, unusable } from './gdcClusterOf';

interface NodeList {
  nodes?: unknown;
}

/** What is read of a Cluster resource. */
interface ClusterSpec {
  nodeAccess?: { loginUser?: unknown };
  controlPlane?: { nodePoolSpec?: NodeList };
  loadBalancer?: { nodePoolSpec?: NodeList };
}

const CONTROL_PLANE = 'baremetal.cluster.gke.io/control-plane';

/**
 * The machines of a cluster, as its Cluster resource, NodePools and Secrets have them. They are named by the address
 * that they are reached at over SSH, as GDC names them; that is not always the address that Kubernetes uses (`k8sIP`).
 *
 * @param hostKeys - what is known of the machines' host keys, by address, where that is more than what is configured
 * @throws ClusterBackupError `gdc-cluster-unusable`, `gdc-ssh-key-missing`
 */
export function gdcMachines(
  { access, objects }: GdcCluster,
  hostKeys: ReadonlyMap<string, HostKeyRule> = new Map(),
): {
  controlPlane: MachineAccess[];
  workers: MachineAccess[];
  sshKeyFrom?: string;
} {
  const { ssh } = access;
  const spec = clusterIn(access, objects).spec as ClusterSpec;
  const addresses = (what: string, list?: NodeList): string[] => {
    const nodes = list?.nodes ?? [];
    if (!Array.isArray(nodes)) throw unusable(access, `${what} has no list`);
    return nodes.map(node => {
      if (typeof node?.address === 'string' && node.address)
        return node.address;
      throw unusable(access, `a node of ${what} has no address`);
    });
  };
  const { loginUser = 'root' } = spec.nodeAccess ?? {};
  if (typeof loginUser !== 'string') {
    throw unusable(access, 'spec.nodeAccess.loginUser is no name');
  }
  const controlPlane = addresses(
    'spec.controlPlane.nodePoolSpec',
    spec.controlPlane?.nodePoolSpec,
  );
  if (!controlPlane.length) {
    throw unusable(access, 'spec.controlPlane.nodePoolSpec names no nodes');
  }
  const workers = [
    ...addresses(
      'spec.loadBalancer.nodePoolSpec',
      spec.loadBalancer?.nodePoolSpec,
    ),
    ...objects
      .filter(isWorkerPool)
      .flatMap(pool =>
        addresses(
          `NodePool ${pool.metadata.name.slice(0, 253)}`,
          pool.spec as NodeList,
        ),
      ),
  ].filter(address => !controlPlane.includes(address));

  const key = ssh.privateKey
    ? { privateKey: ssh.privateKey }
    : sshKeyIn(access, objects);
  const machine = (address: string): MachineAccess => ({
    name: address.replaceAll(':', '-'),
    address,
    port: ssh.port,
    user: ssh.user ?? loginUser,
    privateKey: key.privateKey,
    passphrase: ssh.passphrase,
    hostKeys: hostKeys.get(address) ?? ssh.hostKeys,
    jump: ssh.jump,
  });
  return {
    controlPlane: controlPlane.map(machine),
    workers: [...new Set(workers)].map(machine),
    sshKeyFrom: 'from' in key ? key.from : undefined,
  };
}

function isWorkerPool({ kind, metadata }: KubernetesObject): boolean {
  return (
    kind === 'NodePool' && metadata.annotations?.[CONTROL_PLANE] !== 'true'
  );
}

/** A Secret among the objects. */
export function secretIn(
  objects: KubernetesObject[],
  { namespace, name }: SecretName,
): KubernetesObject | undefined {
  return objects.find(
    ({ kind, metadata }) =>
      kind === 'Secret' &&
      metadata.name === name &&
      metadata.namespace === namespace,
  );
}

/** The SSH key among the objects, and the Secret that has it: `NAMESPACE/NAME`. */
export function findSshKey(
  { secrets }: GdcAccess,
  objects: KubernetesObject[],
): { privateKey: string; from: string } | undefined {
  for (const wanted of secrets.sshKey) {
    const encoded: unknown = secretIn(objects, wanted)?.data?.id_rsa;
    const privateKey =
      typeof encoded === 'string' && Buffer.from(encoded, 'base64').toString();
    if (privateKey && /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(privateKey)) {
      return { privateKey, from: `${wanted.namespace}/${wanted.name}` };
    }
  }
  return undefined;
}

function sshKeyIn(access: GdcAccess, objects: KubernetesObject[]) {
  const found = findSshKey(access, objects);
  if (found) return found;
  const { sshKey } = access.secrets;
  const looked = sshKey.map(({ namespace, name }) => `${namespace}/${name}`);
  throw new ClusterBackupError({
    code: 'gdc-ssh-key-missing',
    message: `No Secret holds the SSH key of ${
      access.name
    } as id_rsa: ${looked.join(', ')}.`,
    state: NOTHING_CHANGED,
    remedy:
      'Where the cluster is reached through Node Agent there is none: set ssh.privateKeyFile of this cluster. Where it has another name, set secrets.sshKey.',
    details: { looked },
  });
}
