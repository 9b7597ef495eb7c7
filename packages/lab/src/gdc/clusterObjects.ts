import { KubernetesObject } from '../apiserver/storedObject';
import { LabAccess, LabGdc } from '../Lab';
import { PROJECT, ServiceAccountKey } from './serviceAccounts';

const API_VERSION = 'baremetal.cluster.gke.io/v1';
const CREDENTIALS = 'anthos-creds';

/** Where the cluster's API is found and what its networks are. */
interface ClusterNetwork {
  controlPlaneVIP: string;
  ingressVIP: string;
  pods: string;
  services: string;
}

/** The namespaces that GDC keeps a cluster's description and credentials in. */
export function namespaces({ namespace }: LabGdc): KubernetesObject[] {
  return [namespace, CREDENTIALS].map(name => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name },
  }));
}

/** The Cluster resource and its NodePools. */
export function cluster(
  gdc: LabGdc,
  machines: LabAccess['machines'],
  options: { k8sIP: boolean; network: ClusterNetwork },
): KubernetesObject[] {
  const { namespace, clusterName, version } = gdc;
  const { network } = options;
  const addresses = (role: 'control-plane' | 'worker') =>
    machines
      .filter(machine => machine.role === role)
      .map(({ address, internalAddress }) => ({
        address,
        ...(options.k8sIP && { k8sIP: internalAddress }),
      }));
  const controlPlane = addresses('control-plane');
  const user = machines[0].user;
  const conditions = [stoodStill()];
  const nodePool = (
    name: string,
    nodes: typeof controlPlane,
    annotations?: Record<string, string>,
  ): KubernetesObject => ({
    apiVersion: API_VERSION,
    kind: 'NodePool',
    metadata: { name, namespace, ...(annotations && { annotations }) },
    spec: { clusterName, nodes },
    status: { conditions, readyNodes: nodes.length },
  });
  return [
    {
      apiVersion: API_VERSION,
      kind: 'Cluster',
      metadata: { name: clusterName, namespace },
      spec: {
        type: gdc.type,
        profile: 'default',
        anthosBareMetalVersion: version,
        gkeConnect: { projectID: PROJECT, location: 'us-central1' },
        ...(user !== 'root' && { nodeAccess: { loginUser: user } }),
        controlPlane: { nodePoolSpec: { clusterName, nodes: controlPlane } },
        clusterNetwork: {
          pods: { cidrBlocks: [network.pods] },
          services: { cidrBlocks: [network.services] },
        },
        loadBalancer: {
          mode: 'bundled',
          type: 'layer2',
          ports: { controlPlaneLBPort: 443 },
          vips: {
            controlPlaneVIP: network.controlPlaneVIP,
            // An admin cluster serves nobody.
            ...(gdc.type !== 'admin' && { ingressVIP: network.ingressVIP }),
          },
        },
        clusterSecurity: {
          enableRootlessContainers: true,
          startUIDRangeRootlessContainers: 2000,
        },
      },
      status: {
        anthosBareMetalVersion: version,
        clusterState: 'Running',
        conditions,
        controlPlaneNodePoolStatus: {
          conditions,
          readyNodes: controlPlane.length,
        },
      },
    },
    nodePool(clusterName, controlPlane, {
      'baremetal.cluster.gke.io/control-plane': 'true',
    }),
    nodePool(`${clusterName}-workers`, addresses('worker')),
  ];
}

function stoodStill() {
  return {
    type: 'Reconciling',
    status: 'False',
    reason: 'ReconciliationCompleted',
    observedGeneration: 1,
    lastTransitionTime: `${new Date().toISOString().slice(0, 19)}Z`,
  };
}

/** What Cluster API keeps of a cluster: how it is reached, and its authorities. */
export function clusterSecrets(
  { clusterName, namespace }: LabGdc,
  kubeconfig: string,
  authorities: Record<
    'ca' | 'etcd' | 'proxy' | 'sa',
    { certificate: string; key: string }
  >,
): KubernetesObject[] {
  const type = 'cluster.x-k8s.io/secret';
  return [
    secret(namespace, `${clusterName}-kubeconfig`, { value: kubeconfig }, type),
    ...Object.entries(authorities).map(([name, { certificate, key }]) =>
      secret(
        namespace,
        `${clusterName}-${name}`,
        { 'tls.crt': certificate, 'tls.key': key },
        type,
      ),
    ),
  ];
}

export function clusterSshKey(
  { namespace }: LabGdc,
  privateKey: string,
): KubernetesObject {
  return secret(namespace, 'ssh-key', { id_rsa: privateKey });
}

/** What a cluster that manages itself was installed with. */
export function credentials(
  privateKey: string,
  keys: Record<string, ServiceAccountKey>,
): KubernetesObject[] {
  const dataKeys: Record<string, string> = {
    'gke-connect': 'creds-gcp.json',
    'gke-register': 'creds-gcp.json',
    'google-cloud-credentials': 'credentials.json',
  };
  return [
    secret(CREDENTIALS, 'ssh-key', { id_rsa: privateKey }),
    secret(
      CREDENTIALS,
      'private-registry-creds',
      {
        '.dockerconfigjson': JSON.stringify({
          auths: { 'gcr.io': registryLogin(keys['private-registry-creds']) },
        }),
      },
      'kubernetes.io/dockerconfigjson',
    ),
    ...Object.entries(dataKeys).map(([name, dataKey]) =>
      secret(CREDENTIALS, name, {
        [dataKey]: JSON.stringify(keys[name], null, 2),
      }),
    ),
  ];
}

function registryLogin(key: ServiceAccountKey) {
  const username = '_json_key';
  const password = JSON.stringify(key);
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return { username, password, email: key.client_email, auth };
}

function secret(
  namespace: string,
  name: string,
  data: Record<string, string>,
  type = 'Opaque',
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]),
    ),
  };
}
