import { apiVersion, Kind, kinds } from './kinds';
import { unknownPath } from './status';

/** What a path under /api or /apis names. */
export interface RequestTarget {
  kind: Kind;
  namespace: string;
  /** empty: the collection */
  name: string;
  status: boolean;
}

export function readTarget(path: string): RequestTarget {
  const steps = path.split('/').slice(1).map(decodeURIComponent);
  const [root, ...rest] = steps;
  const groupVersion =
    root === 'api' ? rest.shift() : rest.splice(0, 2).join('/');
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== 'status') {
    namespace = rest[1];
    rest.splice(0, 2);
  }
  const [plural, name = '', subresource, ...tooMany] = rest;
  const kind = kinds.find(
    candidate =>
      candidate.plural === plural && apiVersion(candidate) === groupVersion,
  );
  const status = subresource === 'status';
  if (
    (root !== 'api' && root !== 'apis') ||
    !kind ||
    tooMany.length ||
    (subresource !== undefined && !(status && kind.hasStatus)) ||
    (namespace !== '' && !kind.namespaced) ||
    (name !== '' && kind.namespaced && namespace === '')
  ) {
    throw unknownPath();
  }
  return { kind, namespace, name, status };
}
