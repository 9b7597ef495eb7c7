import { useApi } from '@backstage/frontend-plugin-api';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';

/** A backup, once it is known; nothing where none is asked for. */
export function useBackup(id: string | undefined) {
  const api = useApi(clusterBackupApiRef);
  const [backup, setBackup] = useState<Backup>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    let isCurrent = true;
    if (id !== undefined) {
      api.getBackup(id).then(
        found => isCurrent && setBackup(found),
        reason => isCurrent && setError(reason),
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [api, id]);
  return { backup, error, isLoading: id !== undefined && !backup && !error };
}
