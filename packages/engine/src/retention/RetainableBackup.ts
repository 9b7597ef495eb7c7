import { Hold } from '../copies';

/** What is asked of a backup to say whether it is kept. @public */
export interface RetainableBackup {
  /** No two have the same. */
  id: string;
  createdAt: Date;
  /** When it was read last a store gave all of it as it was signed, and nothing worse is known of that copy since. */
  isVerified: boolean;
  /** A drill has restored it. */
  isDrilled: boolean;
  /** It was made right before a restore, and holds what that restore replaced. */
  isBeforeRestore: boolean;
  /** A restore of it is under way, or asked for. */
  isNeeded: boolean;
  /** It was found in a store, and nobody has said since that the rule is for it too. */
  isFound: boolean;
  /** That somebody wants it kept. */
  hold?: Hold;
  /** Until when the last of its copies is locked: a store lets nobody remove it. */
  lockedUntil?: Date;
}
