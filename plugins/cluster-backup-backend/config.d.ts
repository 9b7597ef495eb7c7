/** How a machine is reached over SSH. */
interface LoginConfig {
  /** Whom to log in as; anyone but root needs passwordless sudo. Default root. */
  user?: string;
  /** Default 22. */
  port?: number;
  /** File of the private key, PEM or OpenSSH. */
  privateKeyFile?: string;
  /**
   * The private key itself, instead of a file.
   * @visibility secret
   */
  privateKey?: string;
  /**
   * What the private key is encrypted with.
   * @visibility secret
   */
  passphrase?: string;
  /** A known_hosts file that host keys are checked against. */
  knownHostsFile?: string;
  /** Whether host keys that are not known are refused. Default strict. */
  hostKeys?: 'strict' | 'trust-on-first-use';
}

/** Where a machine is; what it says of SSH overrides what its cluster says. */
interface AddressConfig extends LoginConfig {
  /** Its name in messages and in archives. */
  name: string;
  address: string;
  /** Host keys that are accepted, as `SHA256:...`, instead of those in known_hosts. */
  hostKeyFingerprints?: string[];
}

/** A machine that connections go through, itself perhaps reached through another. */
interface JumpConfig extends AddressConfig {
  /** @deepVisibility secret */
  jump?: { [key: string]: unknown };
}

interface SshConfig extends LoginConfig {
  jump?: JumpConfig;
}

interface MachineConfig extends AddressConfig {
  jump?: JumpConfig;
}

/** How a cluster is protected. */
interface ProtectionConfig {
  /** A restore takes the approval of a second person who owns the cluster. Default false. */
  secondPerson?: boolean;
  /** When it is backed up by itself. Default never. */
  schedule?: {
    /** Minute, hour, day of the month, month, day of the week: `0 2 * * *`. */
    cron: string;
    /** Whose clock that is, as `Europe/Berlin`. Default UTC. */
    timeZone?: string;
    /** Each cluster's backup is so much later at most, always the same. Default 0. */
    jitterMinutes?: number;
  };
  /** Ids of the stores that get a copy of each backup. Default all. */
  stores?: string[];
  /** A cluster whose last backup is older is shown as at risk. Default: no age is too old but that of expiry. */
  maxAgeHours?: number;
  /**
   * How long backups are kept. What any of its numbers keeps is kept until it expires. A cluster's own counts instead of
   * the common one, as a whole. Default: all are kept until they expire.
   */
  retention?: RetentionConfig;
}

/** At least one of its numbers, of 1 or more. */
interface RetentionConfig {
  /** So many of the newest. */
  last?: number;
  /** The newest of a day, on so many days that have a backup. */
  daily?: number;
  /** The newest of a week, which begins on Monday, in so many weeks that have a backup. */
  weekly?: number;
  /** The newest of a month, in so many months that have a backup. */
  monthly?: number;
  /** All that are younger than so many days of 24 hours. */
  withinDays?: number;
  /** Where days, weeks and months begin, as `Europe/Berlin`. Default UTC. */
  timeZone?: string;
}

export interface Config {
  /** Backups of the control planes of clusters in the catalog. */
  clusterBackup?: {
    /** age recipients: who can open the archives. Keep their identities elsewhere. */
    recipients?: string[];
    /**
     * The Ed25519 key that signs archives, as PEM. Of a portal that runs several times it is the same everywhere.
     * @visibility secret
     */
    signingKey?: string;
    /** File of the signing key, made when it is not there. Default signing-key.pem. */
    signingKeyFile?: string;
    /** Fingerprints of other installations' signing keys whose archives may be restored. */
    trustedSigners?: string[];
    /**
     * Stores archives, and with them every Secret and private key of the clusters, for everybody to read who can read
     * the store. Instead of recipients. Default false.
     */
    dangerouslyStoreUnencrypted?: boolean;
    /** Archives that are older are not restored: certificates in them are good for a year. Default 365. */
    expireAfterDays?: number;
    /** What a restore replaced is kept on the machines so long, unless it is accepted before. Default 7. */
    keepReplacedDays?: number;
    /** An etcdutl of the clusters' etcd version, brought to nodes that have none. */
    etcdutlFile?: string;
    /** zstd is smaller and faster. Default gzip. */
    compression?: 'gzip' | 'zstd';
    /** gzip's level, 1 to 9, default 1; or zstd's, 1 to 19, default 3. */
    compressionLevel?: number;
    /** Where archives are kept; the first one is the default. */
    stores?: Array<{
      id: string;
      /**
       * It may be slow: what it has not taken of a backup waits on the disk of the portal, encrypted, so that it holds up
       * neither the cluster nor the other stores. True for the system's usual place. Default false.
       */
      useDisk?: boolean | { directory: string };
      /** A folder. */
      filesystem?: {
        path: string;
      };
      /** What a store type of a module wants to know, under its name. */
      [type: string]: unknown;
    }>;
    /** How all clusters are protected that do not say otherwise. */
    protection?: ProtectionConfig;
    /** How many backups, checks and verifications run at once, in all replicas together. */
    limits?: {
      /** Default 8. */
      portal?: number;
      /** Of those that write to one store, or read it. Default 4. */
      store?: number;
      /** Of those on clusters whose Cluster resources one API server holds. Default 2. */
      managingCluster?: number;
    };
    /** Restores that a second person is asked to approve. */
    restoreRequests?: {
      /** So long a request counts, and its approval. Default 24. */
      expireAfterHours?: number;
      /**
       * Entities of the groups and persons who may approve a restore alone in an emergency, their own request too. They
       * need the right to approve all the same. Default nobody.
       */
      emergencyApprovers?: string[];
    };
    /** The clusters that are backed up. */
    clusters?: Array<{
      /** Its name in archives; what a person types to confirm a restore. */
      name: string;
      /** The entity that it is in the catalog. Default `resource:default/<name>`. */
      entityRef?: string;
      /**
       * Entities of the groups and persons who own it, whatever the catalog says. Without them a change in the catalog
       * counts after 24 hours.
       */
      owners?: string[];
      /** Where it is protected otherwise than all clusters are. */
      protection?: ProtectionConfig;
      /** Where the distribution keeps its control plane. Default kubeadm. */
      layout?: 'kubeadm' | 'gdc';
      /** For all machines of the cluster. */
      ssh?: SshConfig;
      /** Every control-plane node. With gdc they are read from the Cluster resource. */
      controlPlane?: MachineConfig[];
      /** Their kubelets are restarted after a restore. */
      workers?: MachineConfig[];
      /** Of gdc: file of the kubeconfig of the cluster that holds the Cluster resource. */
      kubeconfigFile?: string;
      /**
       * The kubeconfig itself, instead of a file.
       * @visibility secret
       */
      kubeconfig?: string;
      /** Of gdc: the name of the Cluster resource, where it is another. */
      clusterName?: string;
      /** Of gdc: its namespace. Default `cluster-<clusterName>`. */
      namespace?: string;
      /** Of gdc: Secrets as `<namespace>/<name>`, where they are not as bmctl makes them. */
      secrets?: {
        sshKey?: string;
        gcpKeys?: string[];
      };
      /** Of gdc: who is asked whether a GCP key is still accepted. Default Google. */
      gcpTokenUrl?: string;
    }>;
    /**
     * Names of clusters that the portal needs, for its database say: the portal does not restore them. The one that it
     * runs on it knows by itself.
     */
    portalClusters?: string[];
    /** Where people find help with a restore; it is shown before one. */
    supportLink?: {
      /** `https://...` or `mailto:...`. */
      url: string;
      /** What it is called. Default its address. */
      title?: string;
    };
    /**
     * Whether only the owners of a cluster may restore it, approve that, open its backups and say which are kept,
     * whatever the permission policy says. Default true.
     */
    requireOwnership?: boolean;
  };
}
