import { useApi } from '@backstage/frontend-plugin-api';
import { ClusterOverview } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useCallback, useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { poll } from './poll';

const INTERVAL = 15_000;

/** What the portal says about a cluster, kept fresh; the last answer stays while the portal is silent. */
export function useClusterOverview(clusterRef: string) {
  const api = useApi(clusterBackupApiRef);
  const [overview, setOverview] = useState<ClusterOverview>();
  const [error, setError] = useState<Error>();
  const [heardAt, setHeardAt] = useState<Date>();
  const [round, setRound] = useState(0);
  const refresh = useCallback(() => setRound(previous => previous + 1), []);

  useEffect(
    () =>
      poll({
        load: () => api.getCluster(clusterRef),
        onValue: value => {
          setOverview(value);
          setError(undefined);
          setHeardAt(new Date());
          return INTERVAL;
        },
        onError: setError,
      }),
    [api, clusterRef, round],
  );

  return { overview, error, heardAt, refresh };
}
