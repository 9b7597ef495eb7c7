import { Message } from './codec';
import { messages } from './messages';

/** A kind of object that the API server knows. */
export interface Kind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  shortNames: string[];
  namespaced: boolean;
  /** where its keys are in etcd, with a slash at the end */
  prefix: string;
  /** how its protobuf is built; without it the kind is a custom resource, stored as JSON */
  message?: Message;
  hasStatus: boolean;
}

const core = { group: '', version: 'v1', shortNames: [], hasStatus: false };

/** The group of a custom resource that stands for any. @public */
export const CUSTOM_GROUP = 'demo.example.com';

/** The group of GDC's own custom resources. */
export const BARE_METAL_GROUP = 'baremetal.cluster.gke.io';

/** Everything that is served. */
export const kinds: Kind[] = [
  {
    ...core,
    kind: 'Namespace',
    plural: 'namespaces',
    shortNames: ['ns'],
    namespaced: false,
    prefix: '/registry/namespaces/',
    message: messages.Namespace,
    hasStatus: true,
  },
  {
    ...core,
    kind: 'ConfigMap',
    plural: 'configmaps',
    shortNames: ['cm'],
    namespaced: true,
    prefix: '/registry/configmaps/',
    message: messages.ConfigMap,
  },
  {
    ...core,
    kind: 'Secret',
    plural: 'secrets',
    namespaced: true,
    prefix: '/registry/secrets/',
    message: messages.Secret,
  },
  {
    ...core,
    kind: 'ServiceAccount',
    plural: 'serviceaccounts',
    shortNames: ['sa'],
    namespaced: true,
    prefix: '/registry/serviceaccounts/',
    message: messages.ServiceAccount,
  },
  {
    ...core,
    kind: 'Pod',
    plural: 'pods',
    shortNames: ['po'],
    namespaced: true,
    prefix: '/registry/pods/',
    message: messages.Pod,
    hasStatus: true,
  },
  {
    ...core,
    kind: 'Node',
    plural: 'nodes',
    shortNames: ['no'],
    namespaced: false,
    prefix: '/registry/minions/',
    message: messages.Node,
    hasStatus: true,
  },
  {
    ...core,
    kind: 'Event',
    plural: 'events',
    shortNames: ['ev'],
    namespaced: true,
    prefix: '/registry/events/',
    message: messages.Event,
  },
  {
    ...core,
    group: 'coordination.k8s.io',
    kind: 'Lease',
    plural: 'leases',
    namespaced: true,
    prefix: '/registry/leases/',
    message: messages.Lease,
  },
  {
    ...core,
    group: 'batch',
    kind: 'Job',
    plural: 'jobs',
    namespaced: true,
    prefix: '/registry/jobs/',
    message: messages.Job,
    hasStatus: true,
  },
  {
    ...core,
    group: BARE_METAL_GROUP,
    kind: 'Cluster',
    plural: 'clusters',
    namespaced: true,
    prefix: `/registry/${BARE_METAL_GROUP}/clusters/`,
    hasStatus: true,
  },
  {
    ...core,
    group: BARE_METAL_GROUP,
    kind: 'NodePool',
    plural: 'nodepools',
    namespaced: true,
    prefix: `/registry/${BARE_METAL_GROUP}/nodepools/`,
    hasStatus: true,
  },
  {
    ...core,
    group: CUSTOM_GROUP,
    kind: 'Widget',
    plural: 'widgets',
    namespaced: true,
    prefix: `/registry/${CUSTOM_GROUP}/widgets/`,
    hasStatus: true,
  },
];

/** @returns the kind with that plural name; fails on a name that is not served */
export function kindNamed(plural: string): Kind {
  const kind = kinds.find(candidate => candidate.plural === plural);
  if (!kind) throw new Error(`the lab serves no ${plural}`);
  return kind;
}

export function apiVersion(kind: Kind): string {
  return kind.group ? `${kind.group}/${kind.version}` : kind.version;
}

/** The key of one object, or with an empty name the prefix of its namespace. */
export function storageKey(kind: Kind, namespace: string, name: string) {
  return Buffer.from(
    kind.namespaced && namespace
      ? `${kind.prefix}${namespace}/${name}`
      : `${kind.prefix}${name}`,
  );
}
