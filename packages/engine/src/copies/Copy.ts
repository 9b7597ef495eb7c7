import { ClusterBackupError } from '../errors';

/** A backup's archive and summary in one store, or why they are not there. @public */
export interface Copy {
  /** The store's id. */
  store: string;
  /** Until when the store lets nobody remove it, where it does. */
  lockedUntil?: Date;
  /** Why the store has no good copy. */
  problem?: ClusterBackupError;
}
