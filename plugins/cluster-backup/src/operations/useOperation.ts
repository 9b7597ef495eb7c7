import { useApi } from '@backstage/frontend-plugin-api';
import {
  Operation,
  OperationEvent,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useCallback, useEffect, useRef, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { hasEnded } from './hasEnded';
import { poll } from './poll';

const INTERVAL = 1_000;
const INTERVAL_WHILE_WAITING_FOR_A_PERSON = 5_000;

/** An operation as it is being followed. */
export interface FollowedOperation {
  operation?: Operation;
  events: OperationEvent[];
  /** Why the last question was not answered; what was heard before stays. */
  error?: Error;
  /** When the portal last answered. */
  heardAt?: Date;
  refresh(): void;
}

/** Follows an operation until it has ended and all of its log has been read. */
export function useOperation(id: string | undefined): FollowedOperation {
  const api = useApi(clusterBackupApiRef);
  const [operation, setOperation] = useState<Operation>();
  const [events, setEvents] = useState<OperationEvent[]>([]);
  const [error, setError] = useState<Error>();
  const [heardAt, setHeardAt] = useState<Date>();
  const [round, setRound] = useState(0);
  const read = useRef<{ id?: string; cursor: number }>({ cursor: 0 });
  const refresh = useCallback(() => setRound(previous => previous + 1), []);

  useEffect(() => {
    if (read.current.id !== id) {
      read.current = { id, cursor: 0 };
      setOperation(undefined);
      setEvents([]);
      setError(undefined);
      setHeardAt(undefined);
    }
    if (id === undefined) {
      return undefined;
    }
    return poll({
      load: () => api.getOperationEvents(id, read.current.cursor),
      onValue: heard => {
        read.current.cursor = heard.cursor;
        setOperation(heard.operation);
        setError(undefined);
        setHeardAt(new Date());
        if (heard.events.length > 0) {
          setEvents(previous => [...previous, ...heard.events]);
        }
        if (heard.operation.status === 'interrupted') {
          return INTERVAL_WHILE_WAITING_FOR_A_PERSON;
        }
        if (!hasEnded(heard.operation)) {
          return INTERVAL;
        }
        return heard.events.length > 0 ? 0 : undefined;
      },
      onError: setError,
    });
  }, [api, id, round]);

  const isOfThisId = operation?.id === id;
  return {
    operation: isOfThisId ? operation : undefined,
    events: isOfThisId ? events : [],
    error,
    heardAt,
    refresh,
  };
}
