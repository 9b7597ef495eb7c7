import { HostKeyRule } from '../machine';

/** The `clusterBackup` section, in the shape that it has in a portal's app-config. @public */
export interface ConfigurationSection {
  recipients?: string[];
  signingKey?: string;
  signingKeyFile?: string;
  /** An etcdutl, for nodes that have none. */
  etcdutlFile?: string;
  trustedSigners?: string[];
  dangerouslyStoreUnencrypted?: boolean;
  expireAfterDays?: number;
  keepReplacedDays?: number;
  compression?: string;
  compressionLevel?: number;
  stores?: StoreSection[];
  /** Of all clusters that do not say otherwise. */
  protection?: ProtectionSection;
  clusters?: ClusterSection[];
}

/** What else is in it only a portal reads. @public */
export interface ProtectionSection {
  retention?: RetentionSection;
  /** Ids of the stores that get a copy of each backup; all of them where there are none. */
  stores?: string[];
}

/** How long backups are kept; all until they expire where there is none. @public */
export interface RetentionSection {
  last?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
  withinDays?: number;
  timeZone?: string;
}

/** A store's id, and one more member, named for the store's type, with what that type wants to know. @public */
export interface StoreSection {
  id: string;
  /** It may be slow: what it has not taken waits on the disk. */
  useDisk?: boolean | { directory: string };
  [type: string]: unknown;
}

/** @public */
export interface ClusterSection {
  name: string;
  entityRef?: string;
  protection?: ProtectionSection;
  layout?: string;
  ssh?: SshSection;
  /** Of the layout `kubeadm`. */
  controlPlane?: MachineSection[];
  workers?: MachineSection[];
  /** Of the layout `gdc`: of the cluster that holds the Cluster resource. */
  kubeconfig?: string;
  kubeconfigFile?: string;
  /** The Cluster resource's name, where it is not the cluster's, and its namespace, where it is not `cluster-NAME`. */
  clusterName?: string;
  namespace?: string;
  /** Secrets as `NAMESPACE/NAME`, where they have other names than `bmctl` gives them. */
  secrets?: { sshKey?: string; gcpKeys?: string[] };
  gcpTokenUrl?: string;
}

/** @public */
export interface SshSection {
  user?: string;
  port?: number;
  privateKeyFile?: string;
  privateKey?: string;
  passphrase?: string;
  knownHostsFile?: string;
  hostKeys?: HostKeyRule['mode'];
  jump?: MachineSection;
}

/** @public */
export interface MachineSection extends SshSection {
  name: string;
  address: string;
  hostKeyFingerprints?: string[];
}
