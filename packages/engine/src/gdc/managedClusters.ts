import { createHash } from 'node:crypto';
import { ManagedCluster } from '../archive';
import { canonicalJson } from '../archive/canonicalJson';
import { GdcAccess } from './GdcAccess';
import { GdcType, KubernetesObject } from './GdcCluster';
import { connectManager, GDC_API } from './managingCluster';

/**
 * What a restore does to a user cluster that the restored one manages. `same`: its spec is what it was. `back`: its
 * spec goes back in time. `forgotten`: it was created since the backup. `returns`: it was deleted since. `unknown`:
 * nobody tells how it is now.
 *
 * @public
 */
export type ManagedChange =
  | 'same'
  | 'back'
  | 'forgotten'
  | 'returns'
  | 'unknown';

/** A user cluster at the backup and now. @public */
export interface ComparedCluster {
  name: string;
  namespace: string;
  change: ManagedChange;
}

/** Where the Cluster resources of all namespaces are. */
export const CLUSTERS = `${GDC_API}/clusters`;

/** Whether clusters of that type manage user clusters. */
export function isManaging(type: GdcType): boolean {
  return type === 'admin' || type === 'hybrid';
}

/** The user clusters among Cluster resources, in the order of their names. */
export function managedAmong(clusters: KubernetesObject[]): ManagedCluster[] {
  return clusters
    .filter(({ spec }) => spec?.type === 'user')
    .map(({ metadata, spec }) => ({
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      generation: Number(metadata.generation ?? 0),
      specSha256: createHash('sha256')
        .update(canonicalJson(spec))
        .digest('hex'),
    }))
    .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
}

/** The cluster that Cluster resources beside its own are managed by; `undefined` where that cannot be told. */
export function managerAmong(clusters: KubernetesObject[]): string | undefined {
  const managers = clusters.filter(({ spec }) =>
    isManaging(spec?.type as GdcType),
  );
  return managers.length === 1 ? managers[0].metadata.name : undefined;
}

/**
 * The user clusters that a cluster manages now, by its kubeconfig.
 *
 * @throws ClusterBackupError those of {@link connectManager}
 * @public
 */
export async function readManagedClusters(
  access: GdcAccess,
  signal: AbortSignal,
): Promise<ManagedCluster[]> {
  const { api } = connectManager(access, signal);
  try {
    const { items } = await api.get<{ items: KubernetesObject[] }>(CLUSTERS);
    return managedAmong(items);
  } finally {
    api.close();
  }
}

/**
 * What a restore would do to each user cluster.
 *
 * @param live - as they are now, where that is known
 * @public
 */
export function compareManaged(
  archived: ManagedCluster[],
  live: ManagedCluster[] | undefined,
): ComparedCluster[] {
  const compared = archived.map(cluster => ({
    name: cluster.name,
    namespace: cluster.namespace,
    change: live ? changeOf(cluster, live) : ('unknown' as const),
  }));
  const known = new Set(archived.map(idOf));
  const since = (live ?? [])
    .filter(cluster => !known.has(idOf(cluster)))
    .map(({ name, namespace }) => ({
      name,
      namespace,
      change: 'forgotten' as const,
    }));
  return [...compared, ...since];
}

function changeOf(
  archived: ManagedCluster,
  live: ManagedCluster[],
): ManagedChange {
  const now = live.find(cluster => idOf(cluster) === idOf(archived));
  if (!now) return 'returns';
  return now.specSha256 === archived.specSha256 ? 'same' : 'back';
}

function idOf({ namespace, name }: { namespace: string; name: string }) {
  return `${namespace}/${name}`;
}
