/** One machine of the lab before it exists. */
export interface MachinePlan {
  name: string;
  role: 'control-plane' | 'worker';
  /** In the lab's own network, of a range that documentation reserves (RFC 5737). */
  address: string;
}

/** One of the etcd clusters of which every control-plane node runs a member. */
export interface EtcdPlan {
  /** The static pod's name before the host's. */
  pod: string;
  dataDirectory: string;
  clientPort: number;
  peerPort: number;
  metricsPort: number;
}

/** A file or directory of the machine that a container sees. */
export interface Mount {
  name: string;
  path: string;
  type: 'DirectoryOrCreate' | 'FileOrCreate';
  writable?: boolean;
}

/** What the files of every node are written from. */
export interface ClusterPlan {
  flavor: 'kubeadm' | 'gdc';
  name: string;
  machines: MachinePlan[];
  frontAddress: string;
  frontPort: number;
  /** Where API servers listen on their own nodes. */
  apiPort: number;
  imageRepository: string;
  kubernetesVersion: string;
  etcdVersion: string;
  /** Bytes; etcd's own default, 2 GiB, where none is given, as kubeadm leaves it. */
  etcdQuota?: number;
  /** The first holds everything that the others do not. */
  etcds: EtcdPlan[];
}

export const kubernetesPrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
];

export const mainEtcd: EtcdPlan = {
  pod: 'etcd',
  dataDirectory: '/var/lib/etcd',
  clientPort: 2379,
  peerPort: 2380,
  metricsPort: 2381,
};

export function controlPlane(plan: ClusterPlan): MachinePlan[] {
  return plan.machines.filter(machine => machine.role === 'control-plane');
}

/** The server that kubelets, workers and kubeconfigs name. */
export function frontServer(plan: ClusterPlan): string {
  return `https://${plan.frontAddress}:${plan.frontPort}`;
}
