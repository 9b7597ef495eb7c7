import { KubernetesObject } from './GdcCluster';
import { GDC_API, ManagingCluster } from './managingCluster';

/** What an archive has of a cluster in the one that manages it; what others refer to comes first. */
const ORDER = ['Secret', 'Cluster', 'NodePool'];

/** The objects that can be put back, in the order in which they are. */
export function inOrder(archived: KubernetesObject[]): KubernetesObject[] {
  return archived
    .filter(({ kind }) => ORDER.includes(kind))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
}

/** `KIND NAMESPACE/NAME` */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`;
}

/** Where objects of its kind are, in its namespace. */
export function collectionOf({ kind, metadata }: KubernetesObject): string {
  const root = kind === 'Secret' ? '/api/v1' : GDC_API;
  return `${root}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s`;
}

/** Creates an object that is not there, and its namespace too. */
export async function create(
  { api, found }: ManagingCluster,
  object: KubernetesObject,
): Promise<void> {
  const { namespace } = object.metadata;
  if (!(await found(`/api/v1/namespaces/${namespace}`))) {
    await api.send('POST', '/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    });
  }
  await api.send('POST', collectionOf(object), asNew(object));
}

/** Whoever owned it is another object by now, and its state is told by whoever manages it. */
function asNew(object: KubernetesObject): KubernetesObject {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, annotations, labels } = metadata;
  return { ...rest, metadata: { name, namespace, annotations, labels } };
}
