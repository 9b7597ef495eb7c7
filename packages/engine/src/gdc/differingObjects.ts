import { isDeepStrictEqual } from 'node:util';
import { KubernetesObject } from './GdcCluster';
import { collectionOf, inOrder } from './managedObjects';
import { ManagingCluster } from './managingCluster';

/** More would help nobody. */
const MOST = 50;

/**
 * How an object that an archive has differs from the one that is there. Values are never told: not those of Secrets,
 * and no others either.
 *
 * @public
 */
export interface DifferingObject {
  kind: string;
  namespace: string;
  name: string;
  /** `missing`: it is not there. */
  difference: 'missing' | 'differs';
  /** Of one that is there: which one was compared. */
  resourceVersion?: string;
  /** Of one that differs: names of a Secret's keys, paths in a spec; at most 50. */
  fields: Array<{
    name: string;
    /** `added`: it is there, and was not at the backup. */
    change: 'added' | 'removed' | 'changed';
  }>;
}

/** The archived objects that are not there as they are in the archive. */
export async function differingObjects(
  { found }: ManagingCluster,
  archived: KubernetesObject[],
): Promise<DifferingObject[]> {
  const differing: DifferingObject[] = [];
  for (const object of inOrder(archived)) {
    const { kind, metadata } = object;
    const { name, namespace = '' } = metadata;
    const common = { kind, namespace, name };
    const path = `${collectionOf(object)}/${name}`;
    const present = await found<KubernetesObject>(path);
    if (!present) {
      differing.push({ ...common, difference: 'missing', fields: [] });
      continue;
    }
    const fields =
      kind === 'Secret'
        ? fieldsOf(object.data ?? {}, present.data ?? {})
        : fieldsOf(object.spec ?? {}, present.spec ?? {}, 'spec');
    if (!fields.length) continue;
    const { resourceVersion } = present.metadata;
    differing.push({
      ...common,
      difference: 'differs',
      resourceVersion: String(resourceVersion),
      fields: fields.slice(0, MOST),
    });
  }
  return differing;
}

/** Down to what is no object on both sides. */
function fieldsOf(
  archived: object,
  present: object,
  within?: string,
): DifferingObject['fields'] {
  const before = new Map(Object.entries(archived));
  const now = new Map(Object.entries(present));
  return [...new Set([...before.keys(), ...now.keys()])]
    .sort()
    .flatMap((key): DifferingObject['fields'] => {
      const name = within ? `${within}.${key}` : key;
      if (!before.has(key)) return [{ name, change: 'added' }];
      if (!now.has(key)) return [{ name, change: 'removed' }];
      const [was, is] = [before.get(key), now.get(key)];
      if (isDeepStrictEqual(was, is)) return [];
      return isPlain(was) && isPlain(is)
        ? fieldsOf(was, is, name)
        : [{ name, change: 'changed' }];
    });
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
