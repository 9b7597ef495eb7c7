import { stringify } from 'yaml';

export const CLUSTER = 'resource:default/lab';
const PLATFORM = 'group:default/platform';

/** Everybody who asks, and the groups that a session of theirs says they are of. */
export const PEOPLE = {
  owner: { ref: 'user:default/olga', groups: [PLATFORM] },
  'nested member': {
    ref: 'user:default/nora',
    groups: ['group:default/storage'],
  },
  'other team': { ref: 'user:default/otto', groups: ['group:default/shop'] },
  guest: { ref: 'user:development/guest', groups: [] },
} as const;

const group = (name: string, parent?: string) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'Group',
  metadata: { name },
  spec: { type: 'team', children: [], parent },
});
const user = (name: string, memberOf: string) => ({
  apiVersion: 'backstage.io/v1alpha1',
  kind: 'User',
  metadata: { name },
  spec: { memberOf: [memberOf] },
});

/** Catalog entities: the platform's cluster, its members, a team within it, and another. */
export const catalogFile = [
  {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Resource',
    metadata: { name: 'lab' },
    spec: { type: 'kubernetes-cluster', owner: PLATFORM },
  },
  group('platform'),
  group('storage', 'platform'),
  group('shop'),
  user('olga', 'platform'),
  user('nora', 'storage'),
  user('otto', 'shop'),
]
  .map(entity => stringify(entity))
  .join('---\n');
