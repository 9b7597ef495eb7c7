/** One machine of the lab before it exists. */
export interface MachinePlan {
  name: string;
  role: 'control-plane' | 'worker';
  /** In the lab's own network, of a range that documentation reserves (RFC 5737). */
  address: string;
}

/** What the files of every node are written from. */
export interface ClusterPlan {
  name: string;
  machines: MachinePlan[];
  frontAddress: string;
  kubernetesVersion: string;
  etcdVersion: string;
  /** Bytes; etcd's own default, 2 GiB, where none is given, as kubeadm leaves it. */
  etcdQuota?: number;
}

export const API_PORT = 6443;

export function controlPlane(plan: ClusterPlan): MachinePlan[] {
  return plan.machines.filter(machine => machine.role === 'control-plane');
}

/** The server that kubelets, workers and kubeconfigs name. */
export function frontServer(plan: ClusterPlan): string {
  return `https://${plan.frontAddress}:${API_PORT}`;
}
