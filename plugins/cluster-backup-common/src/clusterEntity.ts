import { Entity } from '@backstage/catalog-model';

/**
 * `spec.type` of the resources that stand for Kubernetes clusters, as Backstage's own plugins have it.
 *
 * @public
 */
export const CLUSTER_RESOURCE_TYPE = 'kubernetes-cluster';

/**
 * Which entities have a Backup tab, as data, so that adopters can override it in app-config.
 *
 * @public
 */
export const clusterEntityFilter: {
  $any: ({ kind: string; 'spec.type': string } | { kind: string })[];
} = {
  $any: [
    { kind: 'resource', 'spec.type': CLUSTER_RESOURCE_TYPE },
    { kind: 'cluster' },
  ],
};

/**
 * Whether an entity is a cluster: a `Resource` of type `kubernetes-cluster`, or of kind `Cluster` where an adopter has
 * that kind.
 *
 * @public
 */
export function isClusterEntity(entity: Entity): boolean {
  const kind = entity.kind.toLocaleLowerCase('en-US');
  const type = String(entity.spec?.type).toLocaleLowerCase('en-US');
  return (
    kind === 'cluster' ||
    (kind === 'resource' && type === CLUSTER_RESOURCE_TYPE)
  );
}
