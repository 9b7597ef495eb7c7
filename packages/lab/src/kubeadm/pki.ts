import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { Certified, certify } from './certificate';
import { ClusterPlan, MachinePlan } from './plan';

/** What all control-plane nodes share. */
export interface ClusterPki {
  ca: Certified;
  frontProxyCa: Certified;
  etcdCa: Certified;
  serviceAccount: { key: string; publicKey: string };
  /** Of what API servers write to etcd; base64. */
  encryptionKey: string;
}

/** What differs by node. */
export interface NodePki {
  apiServer: Certified;
  apiServerKubeletClient: Certified;
  apiServerEtcdClient: Certified;
  frontProxyClient: Certified;
  etcdServer: Certified;
  etcdPeer: Certified;
  etcdHealthcheckClient: Certified;
  admin: Certified;
  superAdmin: Certified;
  controllerManager: Certified;
  scheduler: Certified;
}

export async function createClusterPki(): Promise<ClusterPki> {
  const authority = (commonName: string) =>
    certify({ commonName, names: [commonName] });
  const [ca, frontProxyCa, etcdCa] = await Promise.all([
    authority('kubernetes'),
    authority('front-proxy-ca'),
    authority('etcd-ca'),
  ]);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    ca,
    frontProxyCa,
    etcdCa,
    serviceAccount: {
      key: privateKey.export({ format: 'pem', type: 'pkcs1' }).toString(),
      publicKey: createPublicKey(privateKey)
        .export({ format: 'pem', type: 'spki' })
        .toString(),
    },
    encryptionKey: randomBytes(32).toString('base64'),
  };
}

/** Subjects and alternative names as kubeadm 1.31 writes them, and `certSANs` for the front and for tunnels. */
export async function createNodePki(
  cluster: ClusterPlan,
  node: MachinePlan,
  pki: ClusterPki,
): Promise<NodePki> {
  const etcdNames = {
    usages: ['serverAuth' as const, 'clientAuth' as const],
    names: [node.name, 'localhost'],
    addresses: [node.address, '127.0.0.1', '::1'],
  };
  const client = (commonName: string, issuer: Certified, organization = '') =>
    certify({ commonName, organization, usages: ['clientAuth'] }, issuer);
  const [
    apiServer,
    apiServerKubeletClient,
    apiServerEtcdClient,
    frontProxyClient,
    etcdServer,
    etcdPeer,
    etcdHealthcheckClient,
    admin,
    superAdmin,
    controllerManager,
    scheduler,
  ] = await Promise.all([
    certify(
      {
        commonName: 'kube-apiserver',
        usages: ['serverAuth'],
        names: [
          node.name,
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          'kubernetes.default.svc.cluster.local',
          'localhost',
        ],
        addresses: [
          '10.96.0.1',
          node.address,
          cluster.frontAddress,
          '127.0.0.1',
        ],
      },
      pki.ca,
    ),
    client('kube-apiserver-kubelet-client', pki.ca, 'kubeadm:cluster-admins'),
    client('kube-apiserver-etcd-client', pki.etcdCa),
    client('front-proxy-client', pki.frontProxyCa),
    certify({ commonName: node.name, ...etcdNames }, pki.etcdCa),
    certify({ commonName: node.name, ...etcdNames }, pki.etcdCa),
    client('kube-etcd-healthcheck-client', pki.etcdCa),
    client('kubernetes-admin', pki.ca, 'kubeadm:cluster-admins'),
    client('kubernetes-super-admin', pki.ca, 'system:masters'),
    client('system:kube-controller-manager', pki.ca),
    client('system:kube-scheduler', pki.ca),
  ]);
  return {
    apiServer,
    apiServerKubeletClient,
    apiServerEtcdClient,
    frontProxyClient,
    etcdServer,
    etcdPeer,
    etcdHealthcheckClient,
    admin,
    superAdmin,
    controllerManager,
    scheduler,
  };
}

/** The client certificate of a kubelet and the certificate that the kubelet serves with, signed by itself. */
export async function createKubeletPki(
  node: MachinePlan,
  pki: ClusterPki,
): Promise<{ client: Certified; serving: Certified }> {
  const [client, serving] = await Promise.all([
    certify(
      {
        commonName: `system:node:${node.name}`,
        organization: 'system:nodes',
        usages: ['clientAuth'],
      },
      pki.ca,
    ),
    certify({
      commonName: `${node.name}@${Math.floor(Date.now() / 1000)}`,
      usages: ['serverAuth'],
      names: [node.name],
    }),
  ]);
  return { client, serving };
}
