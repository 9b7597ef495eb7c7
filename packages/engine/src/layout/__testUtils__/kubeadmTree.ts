import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import {
  makeAuthority,
  makeCertificate,
} from '../../etcd/__testUtils__/openssl';
import {
  LocalMachine,
  localMachine,
} from '../../etcd/__testUtils__/localMachine';

/** A control-plane node's files as kubeadm lays them out, and a machine that sees them as its own. */
export interface KubeadmTree {
  root: string;
  machine: LocalMachine;
  write(path: string, content: string | Buffer, mode?: number): void;
  link(path: string, target: string): void;
  remove(path: string): void;
  close(): void;
}

export const ETCD_MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: etcd, namespace: kube-system, labels: { component: etcd } }
spec:
  containers:
  - name: etcd
    image: registry.k8s.io/etcd:3.5.16-0
    command:
    - etcd
    - --advertise-client-urls=https://192.0.2.11:2379
    - --cert-file=/etc/kubernetes/pki/etcd/server.crt
    - --client-cert-auth=true
    - --data-dir=/var/lib/etcd
    - --initial-advertise-peer-urls=https://192.0.2.11:2380
    - --initial-cluster=cp1=https://192.0.2.11:2380
    - --key-file=/etc/kubernetes/pki/etcd/server.key
    - --listen-client-urls=https://192.0.2.11:2379,https://127.0.0.1:2379
    - --listen-metrics-urls=http://127.0.0.1:2381
    - --listen-peer-urls=https://192.0.2.11:2380
    - --name=cp1
    - --peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt
    - --peer-key-file=/etc/kubernetes/pki/etcd/peer.key
    - --trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt
    volumeMounts:
    - { mountPath: /var/lib/etcd, name: etcd-data }
    - { mountPath: /etc/kubernetes/pki/etcd, name: etcd-certs }
  volumes:
  - { hostPath: { path: /etc/kubernetes/pki/etcd, type: DirectoryOrCreate }, name: etcd-certs }
  - { hostPath: { path: /var/lib/etcd, type: DirectoryOrCreate }, name: etcd-data }
`;

export const API_SERVER_MANIFEST = `
apiVersion: v1
kind: Pod
metadata: { name: kube-apiserver, namespace: kube-system }
spec:
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.31.4
    command:
    - kube-apiserver
    - --advertise-address=192.0.2.11
    - --client-ca-file=/etc/kubernetes/pki/ca.crt
    - --etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt
    - --etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt
    - --etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key
    - --etcd-servers=https://127.0.0.1:2379
    - --requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt
    - --secure-port=6443
    - --service-account-key-file=/etc/kubernetes/pki/sa.pub
    - --service-cluster-ip-range=10.96.0.0/12
    - --tls-cert-file=/etc/kubernetes/pki/apiserver.crt
    - --tls-private-key-file=/etc/kubernetes/pki/apiserver.key
    volumeMounts:
    - { mountPath: /etc/ssl/certs, name: ca-certs, readOnly: true }
    - { mountPath: /etc/kubernetes/pki, name: k8s-certs, readOnly: true }
  volumes:
  - { hostPath: { path: /etc/ssl/certs, type: DirectoryOrCreate }, name: ca-certs }
  - { hostPath: { path: /etc/kubernetes/pki, type: DirectoryOrCreate }, name: k8s-certs }
`;

const plain = (name: string) => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: kube-system }
spec:
  containers:
  - name: ${name}
    image: registry.k8s.io/${name}:v1.31.4
    command: [${name}, "--kubeconfig=/etc/kubernetes/conf", --leader-elect=true]
    volumeMounts: [{ mountPath: /etc/kubernetes/conf, name: kubeconfig }]
  volumes: [{ hostPath: { path: /etc/kubernetes/${name.slice(
    5,
  )}.conf, type: FileOrCreate }, name: kubeconfig }]
`;

const KUBECONFIG = `
apiVersion: v1
kind: Config
current-context: system:node:cp1@kubernetes
contexts:
- { name: "system:node:cp1@kubernetes", context: { cluster: kubernetes, user: "system:node:cp1" } }
clusters:
- { name: other, cluster: { server: "https://192.0.2.99:6443" } }
- { name: kubernetes, cluster: { server: "https://192.0.2.10:6443" } }
users:
- { name: "system:node:cp1", user: { client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem } }
`;

/** Makes the certificates of a node, once for many trees. */
export function makePki(): string {
  const pki = mkdtempSync(join(tmpdir(), 'cb-pki-'));
  for (const name of ['ca', 'front-proxy-ca', 'etcd/ca']) {
    makeAuthority(join(pki, name), name.replace('/', '-'));
  }
  for (const [file, authority] of [
    ['apiserver', 'ca'],
    ['apiserver-etcd-client', 'etcd/ca'],
    ['etcd/server', 'etcd/ca'],
    ['etcd/peer', 'etcd/ca'],
    ['etcd/healthcheck-client', 'etcd/ca'],
  ]) {
    makeCertificate(
      join(pki, file),
      join(pki, authority),
      `/CN=${basename(file)}`,
    );
  }
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  writeFileSync(join(pki, 'sa.pub'), publicKey);
  writeFileSync(join(pki, 'sa.key'), privateKey);
  return pki;
}

/**
 * Builds the tree. Its machine runs every command in a mount namespace in which the tree lies over this machine's own
 * /etc and /var/lib; needs root.
 */
export function makeKubeadmTree(pki: string): KubeadmTree {
  const root = mkdtempSync(join(tmpdir(), 'cb-tree-'));
  cpSync(pki, join(root, 'etc/kubernetes/pki'), { recursive: true });
  const tree: KubeadmTree = {
    root,
    machine: localMachine('cp1', [
      'unshare',
      '-m',
      'sh',
      '-c',
      `for d in etc var/lib; do mount -t overlay overlay -o "lowerdir=$0/$d:/$d" "/$d" || exit 99; done; exec "$@"`,
      root,
    ]),
    write(path, content, mode = 0o600) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      chmodSync(file, mode);
    },
    link(path, target) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      symlinkSync(target, join(root, path));
    },
    remove(path) {
      rmSync(join(root, path), { recursive: true });
    },
    close() {
      rmSync(root, { recursive: true, force: true });
    },
  };
  const manifests = '/etc/kubernetes/manifests';
  tree.write(`${manifests}/etcd.yaml`, ETCD_MANIFEST);
  tree.write(`${manifests}/kube-apiserver.yaml`, API_SERVER_MANIFEST);
  for (const name of ['kube-controller-manager', 'kube-scheduler']) {
    tree.write(`${manifests}/${name}.yaml`, plain(name));
    tree.write(`/etc/kubernetes/${name.slice(5)}.conf`, KUBECONFIG);
  }
  tree.write('/etc/kubernetes/admin.conf', KUBECONFIG);
  tree.write('/etc/kubernetes/kubelet.conf', KUBECONFIG);
  tree.write(
    '/var/lib/kubelet/config.yaml',
    `kind: KubeletConfiguration\nstaticPodPath: ${manifests}\n`,
    0o644,
  );
  tree.write('/var/lib/kubelet/kubeadm-flags.env', 'KUBELET_KUBEADM_ARGS=""\n');
  tree.write('/var/lib/kubelet/pki/kubelet-client-1.pem', 'certificate');
  tree.link(
    '/var/lib/kubelet/pki/kubelet-client-current.pem',
    '/var/lib/kubelet/pki/kubelet-client-1.pem',
  );
  tree.write('/var/lib/etcd/member/snap/db', 'data');
  chmodSync(join(root, 'var/lib/etcd'), 0o700);
  return tree;
}
