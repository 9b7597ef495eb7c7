import { isDeepStrictEqual } from 'node:util';
import { GdcAccess } from './GdcAccess';
import { KubernetesObject } from './GdcCluster';
import { collectionOf, create, inOrder, nameOf } from './managedObjects';
import { connectManager, ManagingCluster } from './managingCluster';

/** What became of the archived objects of a user cluster; each is named `KIND NAMESPACE/NAME`. */
export interface PutBack {
  created: string[];
  /** There, and not as in the archive: never overwritten. */
  differing: string[];
  /** Why an object could not be looked up or created. */
  failed: Array<{ object: string; why: string }>;
}

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
    for (const object of inOrder(archived)) {
      const name = nameOf(object);
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
  manager: ManagingCluster,
  object: KubernetesObject,
): Promise<'created' | 'differing' | undefined> {
  const present = await manager.found<KubernetesObject>(
    `${collectionOf(object)}/${object.metadata.name}`,
  );
  if (present) return isSame(present, object) ? undefined : 'differing';
  await create(manager, object);
  return 'created';
}

function isSame(present: KubernetesObject, archived: KubernetesObject) {
  const meant = ({ spec, data }: KubernetesObject) => ({ spec, data });
  return isDeepStrictEqual(meant(present), meant(archived));
}
