import { isDeepStrictEqual } from 'node:util';
import { GdcAccess } from './GdcAccess';
import { KubernetesObject } from './GdcCluster';
import { connectManager, GDC_API, ManagingCluster } from './managingCluster';

/** What became of the archived objects of a user cluster; each is named `KIND NAMESPACE/NAME`. */
export interface PutBack {
  created: string[];
  /** There, and not as in the archive: never overwritten. */
  differing: string[];
  /** Why an object could not be looked up or created. */
  failed: Array<{ object: string; why: string }>;
}

/** What others refer to comes first. */
const ORDER = ['Secret', 'Cluster', 'NodePool'];

/**
 * Creates those objects in the managing cluster that it has lost, as they are in an archive; what only a living object
 * has is left out. What is there is left alone.
 *
 * @throws ClusterBackupError `gdc-kubeconfig-missing`, `kubeconfig-unreadable`
 */
export async function putBackMissing(
  access: GdcAccess,
  archived: KubernetesObject[],
  signal: AbortSignal,
): Promise<PutBack> {
  const result: PutBack = { created: [], differing: [], failed: [] };
  const manager = connectManager(access, signal);
  try {
    const objects = archived
      .filter(({ kind }) => ORDER.includes(kind))
      .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    for (const object of objects) {
      const { kind, metadata } = object;
      const name = `${kind} ${metadata.namespace}/${metadata.name}`;
      try {
        const outcome = await putBack(manager, object);
        if (outcome) result[outcome].push(name);
      } catch (error) {
        // One that fails keeps no other from being put back.
        result.failed.push({ object: name, why: (error as Error).message });
      }
    }
  } finally {
    manager.api.close();
  }
  return result;
}

async function putBack(
  { api, found }: ManagingCluster,
  object: KubernetesObject,
): Promise<'created' | 'differing' | undefined> {
  const { kind, metadata } = object;
  const { namespace, name } = metadata;
  const root = kind === 'Secret' ? '/api/v1' : GDC_API;
  const collection = `${root}/namespaces/${namespace}/${kind.toLowerCase()}s`;
  const present = await found<KubernetesObject>(`${collection}/${name}`);
  if (present) return isSame(present, object) ? undefined : 'differing';
  if (!(await found(`/api/v1/namespaces/${namespace}`))) {
    await api.send('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
  }
  await api.send('POST', collection, asNew(object));
  return 'created';
}

function isSame(present: KubernetesObject, archived: KubernetesObject) {
  const meant = ({ spec, data }: KubernetesObject) => ({ spec, data });
  return isDeepStrictEqual(meant(present), meant(archived));
}

/** Whoever owned it is another object by now, and its state is told by whoever manages it. */
function asNew(object: KubernetesObject): KubernetesObject {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, annotations, labels } = metadata;
  return { ...rest, metadata: { name, namespace, annotations, labels } };
}
