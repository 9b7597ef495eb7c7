import {
  Backup,
  BackupHold,
  BackupPage,
  CustodyEntry,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { FoundHold } from '@cluster-backup/engine';
import { NewCustodyEntry } from './custody';

/** The records of archives; an operation's end writes them. What is being removed is no backup any more. */
export interface BackupRecordStore {
  get(id: string): Promise<Backup | undefined>;
  /** Keys of the archives that a store is recorded to have, or should have. */
  keysIn(store: string): Promise<string[]>;
  /** Records a copy that was found in a store, and the backup too where it is unknown. */
  recordFound(
    store: string,
    backup: Omit<Backup, 'id' | 'copies'>,
  ): Promise<void>;
  /** What was done to the archive, newest first; of one that is gone too. */
  custody(id: string): Promise<CustodyEntry[]>;
  recordCustody(entry: NewCustodyEntry): Promise<void>;
  /**
   * That a backup is kept, or that it is not any more.
   *
   * @returns whether it is there to be kept: it may be about to be removed
   */
  setHold(
    id: string,
    hold: BackupHold | undefined,
    by: string,
  ): Promise<boolean>;
  /**
   * Records the holds that were found in stores, where there is no better record, and forgets those that are in none
   * of a backup's stores any more, if all of them were listed.
   */
  recordHolds(options: {
    found: FoundHold[];
    /** The stores that were listed. */
    listed: string[];
    /** When listing began: what is held since then need not be in the lists. */
    before: Date;
  }): Promise<void>;
  /**
   * Backups with a copy that is not good, or was not read for long, and whose verification is neither queued nor
   * running. Newest first: they matter most.
   */
  dueForVerification(options: {
    /** What was read longer ago than this is to be read again. */
    verifiedBeforeMs: number;
    /** What is not good is asked for no more often. */
    retryAfterMs: number;
    limit: number;
  }): Promise<Backup[]>;
  /** The newest one but those of what a restore replaced. */
  last(clusterRef: string): Promise<Backup | undefined>;
  /** Newest first. */
  page(
    clusterRef: string,
    options: { limit: number; next?: string },
  ): Promise<BackupPage>;
}
