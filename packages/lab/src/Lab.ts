import { LabNode } from './LabNode';

/** What an SSH client needs in order to reach one machine of a lab. @public */
export interface MachineAccessData {
  name: string;
  /** Of this machine's loopback network: 127.0.0.1, or one for each machine on a GDC lab. */
  address: string;
  /** On a GDC lab the same for all machines. */
  port: number;
  user: 'root' | 'ops';
  /** OpenSSH text. */
  privateKey: string;
  /** Lines of a known_hosts file: for this address and port, and for the address inside the lab. */
  knownHosts: string;
  /** Where the other machines of the lab reach it, on port 22 for SSH. */
  internalAddress: string;
}

/** How a lab is reached from outside, as plain data. @public */
export interface LabAccess {
  clusterName: string;
  machines: Array<MachineAccessData & { role: 'control-plane' | 'worker' }>;
  front: LabFront;
}

/** The address of the API that kubelets use, as keepalived and haproxy would give it. @public */
export interface LabFront {
  /** `ADDRESS:PORT` inside the lab. */
  internal: string;
  host: '127.0.0.1';
  port: number;
}

/** Who manages a cluster of GDC: a user cluster another, all others themselves. @public */
export type GdcClusterType = 'admin' | 'hybrid' | 'standalone' | 'user';

/** What only a lab of GDC has. A user cluster shares the service account keys of the cluster that manages it. @public */
export interface LabGdc {
  type: GdcClusterType;
  /** Of the Cluster resource: `cluster-NAME`. */
  namespace: string;
  clusterName: string;
  /** `spec.anthosBareMetalVersion`. */
  version: string;
  /** What stands in for Google's token service. */
  tokenUrl: string;
  /** The one port of SSH, on each machine's own address. */
  sshPort: number;
  /** The token service no longer takes the key in this Secret of `anthos-creds`. */
  revokeKey(secretName: string): Promise<void>;
  restoreKey(secretName: string): Promise<void>;
  /** Nobody answers at {@link LabGdc.tokenUrl} any more. */
  stopTokenService(): Promise<void>;
  startTokenService(): Promise<void>;
}

/** A running lab. @public */
export interface Lab {
  /** On a lab of GDC. */
  readonly gdc?: LabGdc;
  /** The control-plane nodes, `cp-1` first. */
  readonly nodes: LabNode[];
  readonly workers: LabNode[];
  readonly front: LabFront;
  /** Where the lab lies on this machine; gone after {@link Lab.stop}. */
  readonly directory: string;
  access(): LabAccess;
  /** admin.conf of the first node, with the front's address outside of the lab as its server. */
  kubeconfig(): Promise<string>;
  /** Ends every process of the lab and removes its directory. */
  stop(): Promise<void>;
}
