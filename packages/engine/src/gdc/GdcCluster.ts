import { ManagedCluster } from '../archive';
import { GdcAccess } from './GdcAccess';

/** An object as an API server gives it. @public */
export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  /** Of Secrets: base64. */
  data?: Record<string, string>;
  type?: string;
}

/** Who manages it: `admin`, `hybrid` and `standalone` clusters manage themselves. @public */
export type GdcType = 'admin' | 'hybrid' | 'standalone' | 'user';

/** What a cluster is to whoever manages it. Holds private keys: kept in memory, or in an archive. @public */
export interface GdcCluster {
  /** How it was asked for. */
  access: GdcAccess;
  type: GdcType;
  /** `spec.anthosBareMetalVersion`. */
  version: string;
  /** The Cluster resource, its NodePools, and Secrets. */
  objects: KubernetesObject[];
  /** Where the SSH key was found; undefined where the configuration has it. */
  sshKeyFrom?: string;
  /** SHA-256, hex, of the entry of the archive that the objects are out of, where they are out of one. */
  archivedSha256?: string;
  /** The user clusters that it manages; undefined where it manages none, or they were not to be read. */
  manages?: ManagedCluster[];
  /** Of a user cluster: the cluster that manages it, where that could be told. */
  managedBy?: string;
  /** Jobs of the system that run on its machines; undefined where they are of the past, as out of an archive. */
  runningJobs?: string[];
}
