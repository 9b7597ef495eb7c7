import { apiVersion, Kind, kinds } from './kinds';

/** Of an API server that does not run from an image. */
export const DEFAULT_VERSION = 'v1.31.4';

/** What `/version` tells. */
export function versionDocument(gitVersion: string) {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: 'ac4e1ac3c3cb66e5a1a4a9e7f6c4a3bd0a7c27c9',
    gitTreeState: 'clean',
    buildDate: '2025-05-15T16:36:54Z',
    goVersion: 'go1.23.8',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

const verbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

function resources(kind: Kind) {
  const described = {
    name: kind.plural,
    singularName: kind.kind.toLowerCase(),
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs,
    ...(kind.shortNames.length && { shortNames: kind.shortNames }),
  };
  const status = {
    name: `${kind.plural}/status`,
    singularName: '',
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: ['get', 'patch', 'update'],
  };
  return kind.hasStatus ? [described, status] : [described];
}

function groupOf(kind: Kind) {
  const served = { groupVersion: apiVersion(kind), version: kind.version };
  return { name: kind.group, versions: [served], preferredVersion: served };
}

const groups = [
  ...new Map(
    kinds
      .filter(({ group }) => group)
      .map(kind => [kind.group, groupOf(kind)] as const),
  ).values(),
];

/** The discovery document at a path such as `/apis`; undefined when there is none. */
export function discoveryDocument(path: string): object | undefined {
  const steps = path.split('/').filter(Boolean);
  if (path === '/') {
    return {
      paths: [
        '/api',
        '/api/v1',
        '/apis',
        ...groups.flatMap(group => [
          `/apis/${group.name}`,
          `/apis/${group.preferredVersion.groupVersion}`,
        ]),
        '/healthz',
        '/livez',
        '/readyz',
        '/version',
      ],
    };
  }
  if (path === '/api') {
    return { kind: 'APIVersions', versions: ['v1'] };
  }
  if (path === '/apis') {
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  if (steps[0] === 'apis' && steps.length === 2) {
    const group = groups.find(({ name }) => name === steps[1]);
    return group && { kind: 'APIGroup', apiVersion: 'v1', ...group };
  }
  const groupVersion = steps.slice(1).join('/');
  const served = kinds.filter(kind => apiVersion(kind) === groupVersion);
  const isCore = steps[0] === 'api' && steps.length === 2;
  const isGroup = steps[0] === 'apis' && steps.length === 3;
  if (served.length && (isCore || isGroup)) {
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion,
      resources: served.flatMap(resources),
    };
  }
  return undefined;
}
