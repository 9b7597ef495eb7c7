const API_SERVER = 2000;
const CONTROLLER_MANAGER = 2001;
const SCHEDULER = 2002;
const ETCD = 2003;
const ETCD_EVENTS = 2004;

/** Whose number each pod of a rootless control plane runs as; its group is the same. Balancers need root. */
export const users: Record<string, number> = {
  'kube-apiserver': API_SERVER,
  'kube-controller-manager': CONTROLLER_MANAGER,
  'kube-scheduler': SCHEDULER,
  etcd: ETCD,
  'etcd-events': ETCD_EVENTS,
};

/** Whose a file or directory is. */
export interface Ownership {
  user: number;
  group: number;
  mode: number;
}

function only(user: number): Ownership {
  return { user, group: user, mode: 0o600 };
}

function shared(user: number, group: number): Ownership {
  return { user, group, mode: 0o640 };
}

/** What of kubeadm's tree does not belong to root: each key to exactly those who need it. */
export const owned: Record<string, Ownership> = {
  '/etc/kubernetes/pki/apiserver.key': only(API_SERVER),
  '/etc/kubernetes/pki/apiserver-kubelet-client.key': only(API_SERVER),
  '/etc/kubernetes/pki/apiserver-etcd-client.key': only(API_SERVER),
  '/etc/kubernetes/pki/front-proxy-client.key': only(API_SERVER),
  '/etc/kubernetes/pki/ca.key': only(CONTROLLER_MANAGER),
  '/etc/kubernetes/pki/sa.key': shared(CONTROLLER_MANAGER, API_SERVER),
  '/etc/kubernetes/pki/sa.pub': only(API_SERVER),
  '/etc/kubernetes/pki/etcd/server.key': shared(ETCD, ETCD_EVENTS),
  '/etc/kubernetes/pki/etcd/peer.key': shared(ETCD, ETCD_EVENTS),
  '/etc/kubernetes/controller-manager.conf': only(CONTROLLER_MANAGER),
  '/etc/kubernetes/scheduler.conf': only(SCHEDULER),
  '/var/lib/etcd': { user: ETCD, group: ETCD, mode: 0o700 },
  '/var/lib/etcd-events': {
    user: ETCD_EVENTS,
    group: ETCD_EVENTS,
    mode: 0o700,
  },
};

/** Of what only the API server reads. */
export const ofApiServer = only(API_SERVER);
