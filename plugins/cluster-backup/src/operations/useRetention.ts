import { useApi } from '@backstage/frontend-plugin-api';
import { ClusterRetention } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useCallback, useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';

/** What becomes of a cluster's backups, and how the rule is had for those that were found. */
export function useRetention(clusterRef: string) {
  const api = useApi(clusterBackupApiRef);
  const [retention, setRetention] = useState<ClusterRetention>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = true;
    api.getRetention(clusterRef).then(
      found => isCurrent && setRetention(found),
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, clusterRef]);

  const acceptFound = useCallback(async () => {
    setError(undefined);
    try {
      setRetention(await api.acceptFoundBackups(clusterRef));
    } catch (reason) {
      setError(reason as Error);
    }
  }, [api, clusterRef]);
  return { retention, error, acceptFound };
}
