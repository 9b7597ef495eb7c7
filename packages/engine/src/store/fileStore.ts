import { dirname } from 'node:path';
import { BackupStore } from './BackupStore';
import { openFilesystemStore } from './filesystemStore';

/**
 * A folder that one archive is written into, wherever it is: of its key only the file's own name counts.
 *
 * @param path - the archive's; its folder is made where it is not there
 * @throws ClusterBackupError `store-unavailable`
 * @public
 */
export async function openFileStore(path: string): Promise<BackupStore> {
  const folder = await openFilesystemStore({ id: path, path: dirname(path) });
  const nameIn = (key: string) => key.slice(key.lastIndexOf('/') + 1);
  return {
    id: folder.id,
    identity: () => folder.identity(),
    put: (key, source, options) => folder.put(nameIn(key), source, options),
    get: (key, options) => folder.get(nameIn(key), options),
    head: key => folder.head(nameIn(key)),
    list: prefix => folder.list(nameIn(prefix)),
    remove: key => folder.remove(nameIn(key)),
    sweep: before => folder.sweep(before),
  };
}
