import { ClusterAccess, MachineAccess } from '@cluster-backup/engine';
import { Lab } from '@cluster-backup/lab';

/** The lab as a cluster that the product is configured for. */
export function clusterAccess(lab: Lab): ClusterAccess {
  const { clusterName, machines } = lab.access();
  const ofRole = (role: string): MachineAccess[] =>
    machines
      .filter(machine => machine.role === role)
      .map(({ name, address, port, user, privateKey, knownHosts }) => ({
        name,
        address,
        port,
        user,
        privateKey,
        hostKeys: { mode: 'strict', knownHosts },
      }));
  return {
    name: clusterName,
    layout: 'kubeadm',
    controlPlane: ofRole('control-plane'),
    workers: ofRole('worker'),
  };
}
