import { HostKeyRule } from '../machine';

/** The `clusterBackup` section, in the shape that it has in a portal's app-config. @public */
export interface ConfigurationSection {
  recipients?: string[];
  signingKey?: string;
  signingKeyFile?: string;
  trustedSigners?: string[];
  dangerouslyStoreUnencrypted?: boolean;
  compression?: string;
  compressionLevel?: number;
  stores?: StoreSection[];
  clusters?: ClusterSection[];
}

/** A store's id, and one more member, named for the store's type, with what that type wants to know. @public */
export interface StoreSection {
  id: string;
  [type: string]: unknown;
}

/** @public */
export interface ClusterSection {
  name: string;
  entityRef?: string;
  layout?: string;
  ssh?: SshSection;
  controlPlane?: MachineSection[];
  workers?: MachineSection[];
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
