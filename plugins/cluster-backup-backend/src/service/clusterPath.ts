import { stringifyEntityRef } from '@backstage/catalog-model';
import { Request } from 'express';

/** Where a cluster is, by its entity. */
export const clusterPath = '/clusters/by-entity/:kind/:namespace/:name';

export function refOf({ params }: Request): string {
  const { kind, namespace, name } = params;
  return stringifyEntityRef({ kind, namespace, name });
}
