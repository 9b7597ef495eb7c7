import { useApi } from '@backstage/frontend-plugin-api';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';

/** A cluster's runbook, as Markdown. */
export function useRunbook(clusterRef: string) {
  const api = useApi(clusterBackupApiRef);
  const [runbook, setRunbook] = useState<string>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = true;
    api.getRunbook(clusterRef).then(
      text => isCurrent && setRunbook(text),
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, clusterRef]);
  return { runbook, error };
}
