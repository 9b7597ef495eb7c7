import { useApi } from '@backstage/frontend-plugin-api';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useCallback, useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';

const PAGE = 10;

/** A cluster's backups, newest first; read anew whenever `version` changes. */
export function useBackups(clusterRef: string, version: string) {
  const api = useApi(clusterBackupApiRef);
  const [backups, setBackups] = useState<Backup[]>();
  const [next, setNext] = useState<string>();
  const [error, setError] = useState<Error>();
  const [isLoading, setLoading] = useState(false);
  const [round, setRound] = useState(0);

  useEffect(() => {
    let isCurrent = true;
    api.getBackups(clusterRef, { limit: PAGE }).then(
      page => {
        if (!isCurrent) return;
        setBackups(page.backups);
        setNext(page.next);
        setError(undefined);
      },
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, clusterRef, version, round]);

  const loadOlder = useCallback(async () => {
    setLoading(true);
    try {
      const page = await api.getBackups(clusterRef, { limit: PAGE, next });
      setBackups(previous => [...(previous ?? []), ...page.backups]);
      setNext(page.next);
      setError(undefined);
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setLoading(false);
    }
  }, [api, clusterRef, next]);

  const reload = useCallback(() => setRound(previous => previous + 1), []);
  const replace = useCallback(
    (changed: Backup) =>
      setBackups(previous =>
        previous?.map(each => (each.id === changed.id ? changed : each)),
      ),
    [],
  );
  return {
    backups,
    error,
    isLoading,
    reload,
    replace,
    loadOlder: next === undefined ? undefined : loadOlder,
  };
}
