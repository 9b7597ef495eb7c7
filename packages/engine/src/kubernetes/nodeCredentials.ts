import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { readFiles, wipeFiles } from '../layout/readFiles';
import { KubernetesCredentials, readKubeconfig } from './kubeconfig';

const SUPER_ADMIN = '/etc/kubernetes/super-admin.conf';
const ADMIN = '/etc/kubernetes/admin.conf';

/**
 * Reads a kubeconfig of a control-plane node into memory: `super-admin.conf`, which no RBAC rule binds and which only
 * the first node of a cluster has, else `admin.conf`.
 *
 * @throws ClusterBackupError `kubeconfig-missing`, `kubeconfig-unreadable`, and those of the machine
 * @public
 */
export async function readNodeCredentials(
  node: Pick<ControlPlaneNode, 'machine'>,
  signal: AbortSignal,
): Promise<KubernetesCredentials> {
  const { machine } = node;
  const files = await readFiles(machine, [SUPER_ADMIN, ADMIN], signal);
  try {
    for (const path of [SUPER_ADMIN, ADMIN]) {
      const text = files.get(path);
      if (text) {
        return readKubeconfig(
          text.toString('utf8'),
          `${path} on ${machine.name}`,
        );
      }
    }
  } finally {
    wipeFiles(files.values());
  }
  throw new ClusterBackupError({
    code: 'kubeconfig-missing',
    message: `${machine.name} has neither ${SUPER_ADMIN} nor ${ADMIN}.`,
    state: NOTHING_CHANGED,
    remedy: `Make one on ${machine.name} with: kubeadm init phase kubeconfig admin.`,
    details: { machine: machine.name },
  });
}
