import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { GdcAccess } from './GdcAccess';
import { GdcCluster, GdcType, KubernetesObject } from './GdcCluster';

const TYPES: readonly string[] = ['admin', 'hybrid', 'standalone', 'user'];

/**
 * What the objects of a cluster say of it.
 *
 * @throws ClusterBackupError `gdc-cluster-unusable`
 */
export function gdcClusterOf(
  access: GdcAccess,
  objects: KubernetesObject[],
): GdcCluster {
  const { spec } = clusterIn(access, objects);
  const type = spec?.type;
  if (typeof type !== 'string' || !TYPES.includes(type)) {
    const found = JSON.stringify(type)?.slice(0, 100);
    throw unusable(access, `spec.type is ${found}, not ${TYPES.join(' or ')}`);
  }
  const version = spec?.anthosBareMetalVersion;
  return {
    access,
    type: type as GdcType,
    version: typeof version === 'string' ? version : '',
    objects,
  };
}

/** The Cluster resource among the objects. */
export function clusterIn(
  access: GdcAccess,
  objects: KubernetesObject[],
): KubernetesObject {
  const { name, namespace } = access.resource;
  const found = objects.find(
    ({ kind, metadata }) =>
      kind === 'Cluster' &&
      metadata.name === name &&
      metadata.namespace === namespace,
  );
  if (found) return found;
  throw unusable(access, 'it is not among the objects');
}

/** A Cluster resource that machines cannot be read from. */
export function unusable({ resource }: GdcAccess, why: string) {
  return new ClusterBackupError({
    code: 'gdc-cluster-unusable',
    message: `The Cluster resource ${resource.namespace}/${resource.name} cannot be used: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: `Look at it: kubectl get cluster ${resource.name} -n ${resource.namespace} -o yaml.`,
    details: { ...resource },
  });
}
