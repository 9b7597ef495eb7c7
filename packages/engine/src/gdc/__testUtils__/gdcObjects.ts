import { gdcSecrets, GOOGLE_TOKEN_URL } from '../GdcAccess';
import type { GdcAccess } from '../GdcAccess';
import type { KubernetesObject } from '../GdcCluster';

export const NAMESPACE = 'cluster-prod';
export const SSH_KEY =
  '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n';

export function gdcAccess(overrides: Partial<GdcAccess> = {}): GdcAccess {
  return {
    name: 'prod',
    layout: 'gdc',
    resource: { name: 'prod', namespace: NAMESPACE },
    ssh: { hostKeys: { mode: 'strict' } },
    secrets: gdcSecrets(NAMESPACE),
    gcpTokenUrl: GOOGLE_TOKEN_URL,
    ...overrides,
  };
}

export function clusterResource(
  spec: object = {},
  status: object = {},
): KubernetesObject {
  return {
    apiVersion: 'baremetal.cluster.gke.io/v1',
    kind: 'Cluster',
    metadata: { name: 'prod', namespace: NAMESPACE },
    spec: {
      type: 'admin',
      anthosBareMetalVersion: '1.32.100-gke.42',
      nodeAccess: { loginUser: 'ops' },
      controlPlane: {
        nodePoolSpec: {
          nodes: [
            { address: '10.0.0.1', k8sIP: '172.16.0.1' },
            { address: '10.0.0.2', k8sIP: '172.16.0.2' },
          ],
        },
      },
      ...spec,
    },
    status: {
      anthosBareMetalVersion: '1.32.100-gke.42',
      clusterState: 'Running',
      conditions: [{ type: 'Reconciling', status: 'False' }],
      ...status,
    },
  };
}

export function nodePool(
  name: string,
  addresses: string[],
  annotations?: Record<string, string>,
): KubernetesObject {
  return {
    apiVersion: 'baremetal.cluster.gke.io/v1',
    kind: 'NodePool',
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: {
      clusterName: 'prod',
      nodes: addresses.map(address => ({ address })),
    },
    status: { conditions: [{ type: 'Reconciling', status: 'False' }] },
  };
}

export function secret(
  namespace: string,
  name: string,
  data: Record<string, string>,
): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]),
    ),
  };
}

export const sshKeySecret = secret(NAMESPACE, 'ssh-key', { id_rsa: SSH_KEY });
