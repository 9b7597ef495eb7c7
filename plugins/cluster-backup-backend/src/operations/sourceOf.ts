import { ArchiveSource } from '@cluster-backup/engine';
import { ArchiveToOpen } from './Job';
import { openStore } from './openStore';

/** An archive as the engine reads it. */
export function sourceOf(archive: ArchiveToOpen): ArchiveSource {
  const { store, key, sha256, fileKey, trustedSigners, expireAfterDays } =
    archive;
  return {
    open: async signal => (await openStore(store)).get(key, { signal }),
    sha256,
    key: fileKey && { fileKey },
    trustedSigners,
    expireAfterDays,
  };
}
