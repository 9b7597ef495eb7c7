import { ServiceAccountKey } from './gdc/serviceAccounts';
import { Login } from './supervisor/ssh';

/** How a node's way in behaves. */
export interface LinkState {
  mode: 'open' | 'frozen' | 'cut';
  /** Added to each round trip. */
  rttMs?: number;
  /** Each direction. */
  bytesPerSecond?: number;
}

/** What the supervisor is asked to build. All paths are absolute. */
export interface SupervisorOptions {
  flavor: 'kubeadm' | 'gdc';
  name: string;
  nodes: 1 | 3;
  workers: number;
  login: Login;
  seed?: string;
  etcdDisk?: { sizeMiB: number };
  apiServerStopSeconds: number;
  links: boolean;
  /** Whether it has Google service accounts, and a token service that knows them. */
  serviceAccounts: boolean;
  directory: string;
  checkout: string;
  programs: {
    etcd: string;
    etcdctl: string;
    etcdutl: string;
    etcdVersion: string;
    /** The Kubernetes programs of this machine, by name, where it has them. */
    kubernetes: Record<string, string>;
    /** The lab's own in their place, as bundle names. */
    standIns: Record<string, string>;
  };
}

/** What is known of a machine once it runs. */
export interface RunningMachine {
  name: string;
  role: 'control-plane' | 'worker';
  /** Process 1, as this machine sees it. */
  pid: number;
  internalAddress: string;
  /** Where its SSH is reached from this machine. */
  address: string;
  port: number;
  hostKey: string;
}

/** What is known of the lab once it runs. */
export interface RunningLab {
  machines: RunningMachine[];
  front: { internal: string; port: number };
  /** Text of the key that every machine lets in. */
  privateKey: string;
  tokenUrl: string;
  /** By the name of their Secret. */
  serviceAccountKeys: Record<string, ServiceAccountKey>;
}

/** What the supervisor does on request. */
export interface SupervisorMethods {
  setLink(parameters: { machine: string; state: LinkState }): void;
  openPort(parameters: { machine: string }): void;
  closePort(parameters: { machine: string }): void;
  setPeerLink(parameters: { machine: string; up: boolean }): void;
  powerOff(parameters: { machine: string }): void;
  /** Answers the new process 1. */
  powerOn(parameters: { machine: string }): number;
  revokeKey(parameters: { secret: string }): void;
  restoreKey(parameters: { secret: string }): void;
  startTokenService(parameters: {}): void;
  stopTokenService(parameters: {}): void;
}

/** Asks the supervisor. */
export type Call = <M extends keyof SupervisorMethods>(
  method: M,
  ...[parameters]: Parameters<SupervisorMethods[M]>
) => Promise<ReturnType<SupervisorMethods[M]>>;

/** From the process that started the lab. */
export type ToSupervisor =
  | { start: SupervisorOptions }
  | { id: number; method: keyof SupervisorMethods; parameters: unknown };

/** To the process that started the lab. */
export type FromSupervisor =
  | { started: RunningLab }
  | { failed: string }
  | { id: number; result?: unknown; error?: string };
