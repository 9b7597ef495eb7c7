import { apiCaller, ApiCall } from '../apiserver/apiCaller';
import { parseKubeconfig } from '../apiserver/kubeconfig';
import { apiVersion, Kind, kinds } from '../apiserver/kinds';
import { KubernetesObject } from '../apiserver/storedObject';
import { Lab, LabGdc } from '../Lab';
import {
  cluster,
  clusterSecrets,
  clusterSshKey,
  credentials,
  namespaces,
} from './clusterObjects';
import { ServiceAccountKey } from './serviceAccounts';

/**
 * Leaves with whoever manages a cluster what GDC keeps there of it. A user cluster has no credentials of its own in
 * `anthos-creds`: those are of the cluster that manages it.
 */
export async function describeCluster(
  lab: Lab,
  gdc: LabGdc,
  options: {
    holder: Lab;
    k8sIP: boolean;
    privateKey: string;
    serviceAccountKeys: Record<string, ServiceAccountKey>;
  },
): Promise<void> {
  const { holder, k8sIP, privateKey, serviceAccountKeys } = options;
  const [vip] = lab.front.internal.split(':');
  const pki = (name: string) =>
    lab.nodes[0].readFile(`/etc/kubernetes/pki/${name}`);
  const authority = async (name: string) => ({
    certificate: await pki(`${name}.crt`),
    key: await pki(`${name}.key`),
  });
  const authorities = {
    ca: await authority('ca'),
    etcd: await authority('etcd/ca'),
    proxy: await authority('front-proxy-ca'),
    sa: { certificate: await pki('sa.pub'), key: await pki('sa.key') },
  };
  const objects = [
    ...namespaces(gdc),
    ...(holder === lab ? credentials(privateKey, serviceAccountKeys) : []),
    clusterSshKey(gdc, privateKey),
    ...clusterSecrets(gdc, await lab.kubeconfig(), authorities),
    ...cluster(gdc, lab.access().machines, {
      k8sIP,
      network: {
        controlPlaneVIP: vip,
        ingressVIP: vip.replace(/\d+$/, '9'),
        pods: '10.244.0.0/16',
        services: '10.96.0.0/12',
      },
    }),
  ];
  const { call, close } = apiCaller(
    parseKubeconfig(await holder.kubeconfig(), holder.directory),
  );
  try {
    for (const object of objects) await put(call, object);
  } finally {
    close();
  }
}

/** Makes an object, in the place of one that a former lab of the same name left. */
async function put(call: ApiCall, object: KubernetesObject): Promise<void> {
  const kind = kinds.find(
    candidate =>
      candidate.kind === object.kind &&
      apiVersion(candidate) === object.apiVersion,
  )!;
  const collection = collectionPath(kind, object.metadata.namespace);
  const path = `${collection}/${object.metadata.name}`;
  if (object.kind !== 'Namespace') await call('DELETE', path);
  const made = await call('POST', collection, object);
  const isThere = object.kind === 'Namespace' && made.code === 409;
  if (made.code !== 201 && !isThere) throw refused(path, made);
  if (!object.status) return;
  const { status } = object;
  const told = await call('PUT', `${path}/status`, { ...made.body, status });
  if (told.code !== 200) throw refused(path, told);
}

function collectionPath(kind: Kind, namespace?: string): string {
  return [
    kind.group ? `/apis/${kind.group}` : '/api',
    kind.version,
    ...(namespace ? ['namespaces', namespace] : []),
    kind.plural,
  ].join('/');
}

function refused(path: string, { code, body }: { code: number; body: any }) {
  return new Error(`${path} was not taken: HTTP ${code} ${body?.message}`);
}
