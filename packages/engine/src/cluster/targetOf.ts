import { readKubeconfig } from '../kubernetes';
import { hostKeysOf, MachineAccess } from '../machine';
import { ClusterAccess } from './ClusterAccess';

/** A machine, as it is configured: where it is and what it proves itself with. @public */
export interface TargetMachine {
  name: string;
  role: 'control-plane' | 'worker' | 'jump';
  /** `USER@ADDRESS:PORT`. */
  login: string;
  /** Fingerprints of host keys that are accepted; none where it is trusted on first use. */
  hostKeys: string[];
}

/** What a restore would be done to, as far as the configuration tells; no secrets. @public */
export interface ClusterTarget {
  name: string;
  layout: ClusterAccess['layout'];
  machines: TargetMachine[];
  /** Of Google Distributed Cloud: the Cluster resource, `NAMESPACE/NAME`, and the API server that has it. */
  resource?: string;
  server?: string;
}

/**
 * What a restore of a cluster would be done to.
 *
 * @throws ClusterBackupError `kubeconfig-unreadable`
 * @public
 */
export function targetOf(access: ClusterAccess): ClusterTarget {
  const { name, layout } = access;
  if ('resource' in access) {
    const { resource, kubeconfig, ssh } = access;
    return {
      name,
      layout,
      machines: machinesOf(ssh.jump, 'jump'),
      resource: `${resource.namespace}/${resource.name}`,
      ...(kubeconfig && {
        server: readKubeconfig(kubeconfig, `of ${name}`).server,
      }),
    };
  }
  return {
    name,
    layout,
    machines: [
      ...access.controlPlane.flatMap(each => machinesOf(each, 'control-plane')),
      ...access.workers.flatMap(each => machinesOf(each, 'worker')),
    ],
  };
}

/** A machine, and those that it is reached through. */
function machinesOf(
  access: MachineAccess | undefined,
  role: TargetMachine['role'],
): TargetMachine[] {
  if (!access) return [];
  const { name, user, address, port = 22 } = access;
  return [
    {
      name,
      role,
      login: `${user}@${address}:${port}`,
      hostKeys: hostKeysOf(access),
    },
    ...machinesOf(access.jump, 'jump'),
  ];
}
