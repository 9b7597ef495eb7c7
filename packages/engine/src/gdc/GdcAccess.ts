import { HostKeyRule, MachineAccess } from '../machine';

/** The name of a Secret. @public */
export interface SecretName {
  namespace: string;
  name: string;
}

/**
 * How a cluster of Google Distributed Cloud on bare metal is reached: its machines, who logs in to them and with which
 * key is in its Cluster resource and in Secrets beside it.
 *
 * @public
 */
export interface GdcAccess {
  /** The cluster's name in the configuration. */
  name: string;
  layout: 'gdc';
  /** The Cluster resource. */
  resource: { name: string; namespace: string };
  /**
   * Of the cluster that holds the Cluster resource: of an admin, hybrid or standalone cluster itself, or of the admin or
   * hybrid cluster that manages a user cluster. Kept in memory only. Without it an archive has to tell.
   */
  kubeconfig?: string;
  ssh: {
    port?: number;
    hostKeys: HostKeyRule;
    /** Instead of what the Cluster resource and the Secret say. */
    user?: string;
    privateKey?: string;
    passphrase?: string;
    jump?: MachineAccess;
  };
  secrets: {
    /** Where the SSH key is looked for, in this order: `id_rsa`. */
    sshKey: SecretName[];
    /** Google service account keys and the registry's. */
    gcpKeys: SecretName[];
  };
  /** An etcdutl on this machine, for nodes that have none. */
  restoreToolFile?: string;
  /** Who is asked whether a GCP key is still accepted. */
  gcpTokenUrl: string;
}

/** The Secrets' names as `bmctl` makes them. @public */
export function gdcSecrets(namespace: string): GdcAccess['secrets'] {
  const credentials = (name: string) => ({ namespace: 'anthos-creds', name });
  return {
    sshKey: [{ namespace, name: 'ssh-key' }, credentials('ssh-key')],
    gcpKeys: [
      'gke-connect',
      'gke-register',
      'google-cloud-credentials',
      'private-registry-creds',
    ].map(credentials),
  };
}

/** Google's own. @public */
export const GOOGLE_TOKEN_URL = 'https://oauth2.googleapis.com/token';
