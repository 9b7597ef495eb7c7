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

/** A running lab. @public */
export interface Lab {
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
