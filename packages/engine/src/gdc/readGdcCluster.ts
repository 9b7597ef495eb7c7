import { ClusterBackupError, NOTHING_CHANGED, restated } from '../errors';
import { KubernetesClient } from '../kubernetes';
import { GdcAccess, SecretName } from './GdcAccess';
import { GdcCluster, GdcType, KubernetesObject } from './GdcCluster';
import { gdcClusterOf } from './gdcClusterOf';
import {
  CLUSTERS,
  isManaging,
  managedAmong,
  managerAmong,
} from './managedClusters';
import { runningJobs } from './runningJobs';
import { connectManager, GDC_API } from './managingCluster';

/** What the API server makes and removes by itself. */
const TOKEN = 'kubernetes.io/service-account-token';

interface Listed {
  items: KubernetesObject[];
}

/**
 * Reads what a cluster is from the API server that holds its Cluster resource: over this machine's own network, as
 * nothing is known of the cluster's machines yet.
 *
 * @throws ClusterBackupError `gdc-cluster-unknown`, `gdc-cluster-unusable`, and those of {@link connectManager}
 * @public
 */
export async function readGdcCluster(
  access: GdcAccess,
  signal: AbortSignal,
): Promise<GdcCluster> {
  const { name, namespace } = access.resource;
  const { api, found } = connectManager(access, signal);
  const { server } = api;
  const list = async (path: string, apiVersion: string, kind: string) =>
    ((await found<Listed>(path))?.items ?? []).map(item => ({
      // In a list the API server leaves both out.
      ...item,
      apiVersion,
      kind,
    }));
  const secret = async (wanted: SecretName) => {
    const path = `/api/v1/namespaces/${wanted.namespace}/secrets/${wanted.name}`;
    const object = await found<KubernetesObject>(path);
    return object ? [{ ...object, apiVersion: 'v1', kind: 'Secret' }] : [];
  };
  try {
    const cluster = await found<KubernetesObject>(
      `${GDC_API}/namespaces/${namespace}/clusters/${name}`,
    );
    if (!cluster) throw unknown(access, server);
    const elsewhere = [
      ...access.secrets.sshKey,
      ...access.secrets.gcpKeys,
    ].filter(wanted => wanted.namespace !== namespace);
    const [pools, secrets, others, jobs] = await Promise.all([
      list(
        `${GDC_API}/namespaces/${namespace}/nodepools`,
        'baremetal.cluster.gke.io/v1',
        'NodePool',
      ),
      list(`/api/v1/namespaces/${namespace}/secrets`, 'v1', 'Secret'),
      Promise.all(elsewhere.map(secret)),
      runningJobs(found, namespace),
    ]);
    const itself = gdcClusterOf(access, [
      cluster,
      ...pools.filter(({ spec }) => spec?.clusterName === name),
      ...secrets.filter(({ type }) => type !== TOKEN),
      ...others.flat(),
    ]);
    return {
      ...itself,
      ...relations(itself.type, await allClusters(api)),
      runningJobs: jobs,
    };
  } catch (error) {
    if (!(error instanceof ClusterBackupError)) throw error;
    throw error.code === 'api-unreachable'
      ? restated(
          error,
          NOTHING_CHANGED,
          `Look whether ${server} can be reached from here. It is where the Cluster resource of ${access.name} is.`,
        )
      : error;
  } finally {
    api.close();
  }
}

/** `undefined` for who may not read beyond the cluster's own namespace. */
async function allClusters(
  api: KubernetesClient,
): Promise<KubernetesObject[] | undefined> {
  try {
    return (await api.get<Listed>(CLUSTERS)).items;
  } catch (error) {
    const { details } = error as ClusterBackupError;
    if (details?.status === 403) return undefined;
    throw error;
  }
}

function relations(
  type: GdcType,
  clusters: KubernetesObject[] | undefined,
): Pick<GdcCluster, 'manages' | 'managedBy'> {
  if (!clusters) return {};
  if (isManaging(type)) return { manages: managedAmong(clusters) };
  return type === 'user' ? { managedBy: managerAmong(clusters) } : {};
}

function unknown({ name, resource }: GdcAccess, server: string) {
  return new ClusterBackupError({
    code: 'gdc-cluster-unknown',
    message: `The API server at ${server} holds no Cluster ${resource.name} in namespace ${resource.namespace}.`,
    state: NOTHING_CHANGED,
    remedy: `Give the kubeconfig of the cluster that holds the Cluster resource of ${name}: its own, or, of a user cluster, that of the cluster that manages it. Another name or namespace is configured with clusterName and namespace.`,
    details: { server, ...resource },
  });
}
