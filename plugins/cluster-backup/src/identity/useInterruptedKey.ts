import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useBackup } from '../operations/useBackup';
import { useFileKey } from './useFileKey';

/**
 * What opens the archive of an interrupted restore. It may be needed although nothing of it is put back: where the API
 * of a cluster is away, its archive tells how its machines are reached.
 */
export function useInterruptedKey(
  operation: Operation,
  options: { isArchiveRead: boolean },
) {
  const { needsArchive, backupId } = operation;
  const identity = useFileKey();
  const mayBeNeeded =
    needsArchive === undefined || (needsArchive && options.isArchiveRead);
  const { backup, error, isLoading } = useBackup(
    mayBeNeeded ? backupId : undefined,
  );
  const isLocked = backup?.isEncrypted === true;
  const isNeeded = isLocked && needsArchive === true;
  const isGiven = identity.field.value.trim() !== '';
  return {
    field: isLocked ? identity.field : undefined,
    isNeeded,
    error,
    isLoading,
    isComplete: !isLoading && !error && (!isNeeded || isGiven),
    /** The key, nothing where none is given; `undefined` when the identity does not open the archive. */
    async open(): Promise<{ fileKey?: string } | undefined> {
      if (!isLocked || !isGiven) return {};
      const fileKey = await identity.open(backup.id);
      return fileKey === undefined ? undefined : { fileKey };
    },
  };
}
