import { MachineAccess } from '../machine';

/**
 * How a cluster is reached. It comes from the configuration, never from a catalog entity: whoever edits an entity
 * must not steer credentials.
 *
 * @public
 */
export interface ClusterAccess {
  name: string;
  layout: 'kubeadm';
  /** Every control-plane node, in a stable order. */
  controlPlane: MachineAccess[];
  /** Their kubelets are restarted at the end of a restore; nothing else is done to them. */
  workers: MachineAccess[];
}
