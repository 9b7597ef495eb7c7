import { Entity } from '@backstage/catalog-model';

/** The entity `resource:default/production`. */
export const aClusterEntity: Entity = {
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Resource',
  metadata: { name: 'production', namespace: 'default' },
  spec: { type: 'kubernetes-cluster', owner: 'platform' },
};
