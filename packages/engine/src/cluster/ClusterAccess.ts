import { GdcAccess, GdcCluster } from '../gdc';
import { MachineAccess } from '../machine';

/**
 * How a cluster is reached: its machines, or where they are to be looked up. It comes from the configuration, never
 * from a catalog entity: whoever edits an entity must not steer credentials.
 *
 * @public
 */
export type ClusterAccess = ClusterMachines | GdcAccess;

/** The machines of a cluster. @public */
export interface ClusterMachines {
  name: string;
  layout: 'kubeadm' | 'gdc';
  /** Every control-plane node, in a stable order. */
  controlPlane: MachineAccess[];
  /** Their kubelets are restarted at the end of a restore; nothing else is done to them. */
  workers: MachineAccess[];
  /** An etcdutl on this machine, for nodes that have none. */
  restoreToolFile?: string;
  /** Of the layout `gdc`: what the machines were looked up in. */
  gdc?: GdcCluster;
}
