import { Machine } from '../machine/Machine';

/** An etcd member as its static-pod manifest configures it; every path is the host's. @public */
export interface EtcdInstance {
  /** Its member name. */
  name: string;
  image: string;
  /** The folder that holds `member/`. */
  dataDir: string;
  /** Where it keeps its write-ahead log, when that is not in `dataDir`. */
  walDir?: string;
  /** Where it listens for clients; the loopback address where there is one. */
  clientUrl: string;
  /** All addresses it listens on for clients. */
  listenClientUrls: string[];
  /** As told to the other members: `--initial-advertise-peer-urls`. */
  peerUrls: string[];
  advertisedClientUrls: string[];
  /** Where `/metrics`, `/health` and `/readyz` are answered without a certificate. */
  metricsUrl?: string;
  certificate: {
    ca: string;
    serverCert: string;
    serverKey: string;
    peerCert?: string;
    peerKey?: string;
  };
  manifestPath: string;
  /** Owner and mode of the data directory, to be given to what replaces it. */
  uid: number;
  gid: number;
  /** As `chmod` takes it: `0o700` is 448. */
  mode: number;
}

/** An API server as its static-pod manifest configures it; every path is the host's. @public */
export interface ApiServerInstance {
  manifestPath: string;
  image: string;
  /** `--secure-port`. */
  port: number;
  advertiseAddress?: string;
  etcdServers: string[];
  /** With these it reaches etcd. */
  etcdClient?: { cert: string; key: string };
  encryptionProviderConfig?: string;
  certificate?: { cert: string; key: string };
  clientCa: string;
}

/** @public */
export interface StaticPodInstance {
  manifestPath: string;
  image: string;
}

/** Something true about a backup that a person should know. @public */
export interface LayoutReservation {
  id: string;
  title: string;
  message: string;
  machine?: string;
}

/** What a restore puts back of a node's files, since those that are there cannot serve the restored data. @public */
export interface FilesBack {
  /** One reason or several, each a whole sentence. */
  why: string[];
  /** Whether the kubelet's own files are among them. */
  kubelet: boolean;
  /** Where they are put. */
  directories: string[];
}

/** What a control-plane node is, read from the node itself. @public */
export interface ControlPlaneNode {
  machine: Machine;
  /** Set where it was read from an archive, out of which a restore will make it what this says. */
  filesBack?: FilesBack;
  /** Of its Node; the kubelet names static pods after it, `etcd-NAME`. Undefined where its certificate does not tell. */
  nodeName?: string;
  /** The folder that the kubelet watches. */
  manifestsDir: string;
  etcd: EtcdInstance;
  /** The etcd of its own that keeps Events, where there is one. */
  etcdEvents?: EtcdInstance;
  apiServer: ApiServerInstance;
  controllerManager?: StaticPodInstance;
  scheduler?: StaticPodInstance;
  /** `1.31.2`, from the API server's image tag. */
  kubernetesVersion?: string;
  /** SHA-256 of the public key of the cluster's certificate authority, in hex: what a cluster is known by. */
  caFingerprint: string;
  /** The same of the other keys that all control-plane nodes share. */
  fingerprints: {
    etcdCa: string;
    frontProxyCa?: string;
    /** Of the key that signs ServiceAccount tokens. */
    signingKey?: string;
    /** Of each key that what is stored may be encrypted with: SHA-256, in hex, of provider, name and key. */
    encryptionKeys: string[];
  };
  /** The API server's address that the kubelet uses, `https://10.0.0.10:6443`. */
  frontServer: string;
  /** All that its static pods run. */
  images: string[];
  /** Files, symbolic links and folders that a backup keeps, sorted; none of them data. */
  capture: string[];
  reservations: LayoutReservation[];
}
