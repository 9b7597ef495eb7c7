import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { KubernetesObject } from './GdcCluster';
import { collectionOf, create, nameOf } from './managedObjects';
import { ManagingCluster } from './managingCluster';

/**
 * Makes a Secret what it is in an archive: its data, and nothing else of one that is there.
 *
 * @param resourceVersion - of the one that a person saw; a Secret that was changed since is left alone
 * @throws ClusterBackupError `put-back-changed-since`, those of the API server
 */
export async function putBackSecret(
  manager: ManagingCluster,
  archived: KubernetesObject,
  resourceVersion: string | undefined,
): Promise<'created' | 'updated' | 'same'> {
  const path = `${collectionOf(archived)}/${archived.metadata.name}`;
  const present = await manager.found<KubernetesObject>(path);
  const isOther =
    resourceVersion !== undefined &&
    present?.metadata.resourceVersion !== resourceVersion;
  if (isOther) throw changedSince(archived);
  if (!present) {
    await create(manager, archived);
    return 'created';
  }
  const { data = {} } = archived;
  if (isSame(data, present.data ?? {})) return 'same';
  try {
    // Its metadata holds the resourceVersion: the server refuses what was changed meanwhile.
    await manager.api.send('PUT', path, {
      ...present,
      apiVersion: 'v1',
      kind: 'Secret',
      data,
    });
  } catch (error) {
    const { details } = error as ClusterBackupError;
    throw details?.status === 409 ? changedSince(archived) : error;
  }
  return 'updated';
}

function isSame(a: Record<string, string>, b: Record<string, string>) {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every(k => a[k] === b[k])
  );
}

function changedSince(object: KubernetesObject) {
  const name = nameOf(object);
  return new ClusterBackupError({
    code: 'put-back-changed-since',
    message: `${name} was changed by somebody else meanwhile.`,
    state: `It was left as it is. ${NOTHING_CHANGED}`,
    remedy: 'Look at the differences again, then put it back.',
    details: { object: name },
  });
}
