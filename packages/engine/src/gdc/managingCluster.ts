import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  connectKubernetes,
  fromHere,
  KubernetesClient,
  readKubeconfig,
} from '../kubernetes';
import { GdcAccess } from './GdcAccess';

export const GDC_API = '/apis/baremetal.cluster.gke.io/v1';

/** The API server that holds a Cluster resource, asked over this machine's own network. */
export interface ManagingCluster {
  api: KubernetesClient;
  /** What is at a path; `undefined` when there is nothing. */
  found<T>(path: string): Promise<T | undefined>;
}

/**
 * The address of the API server that holds a Cluster resource, without asking it: clusters that have the same are managed
 * together.
 *
 * @throws ClusterBackupError `gdc-kubeconfig-missing`, `kubeconfig-unreadable`
 * @public
 */
export function managingServer(access: GdcAccess): string {
  if (!access.kubeconfig) throw withoutKubeconfig(access);
  return readKubeconfig(access.kubeconfig, `of ${access.name}`).server;
}

/**
 * Makes a client of the API server that holds a Cluster resource; nothing need be known of the cluster's machines.
 *
 * @throws ClusterBackupError `gdc-kubeconfig-missing`, `kubeconfig-unreadable`; from its calls those of
 * {@link connectKubernetes}
 */
export function connectManager(
  access: GdcAccess,
  signal: AbortSignal,
): ManagingCluster {
  if (!access.kubeconfig) throw withoutKubeconfig(access);
  const credentials = readKubeconfig(access.kubeconfig, `of ${access.name}`);
  const { server } = credentials;
  const api = connectKubernetes(fromHere, { server, credentials, signal });
  return {
    api,
    async found<T>(path: string) {
      try {
        return await api.get<T>(path);
      } catch (error) {
        const { details } = error as ClusterBackupError;
        if (details?.status === 404) return undefined;
        throw error;
      }
    },
  };
}

function withoutKubeconfig({ name }: GdcAccess) {
  return new ClusterBackupError({
    code: 'gdc-kubeconfig-missing',
    message: `No kubeconfig of the cluster that holds the Cluster resource of ${name} is configured.`,
    state: NOTHING_CHANGED,
    remedy: 'Set kubeconfigFile of this cluster.',
  });
}
