import {
  Backup,
  BackupChoices,
  Fault,
  Finding,
  Operation,
  OperationEvent,
  OperationStatus,
  RestoreDecision,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { FoundCopy, RememberedRestore } from '../operations/Job';

/** The right to run an operation, until it expires or somebody else has it. */
export interface Lease {
  id: string;
  workerId: string;
  /** The fence: whoever holds an earlier one writes nothing. */
  attempt: number;
}

/** An operation that is one's own to run. */
export interface Claim {
  lease: Lease;
  operation: Operation;
}

/** Something that only so many operations use at once. */
export interface Slot {
  /** `portal`, `store nas`. */
  resource: string;
  atMost: number;
}

/** What is asked for, and waits in the queue. */
export interface NewOperation {
  kind: 'check' | 'backup' | 'verify';
  clusterRef: string;
  requestedBy: string;
  /** Of what is verified. */
  backupId?: string;
  /** For a backup. */
  choices?: BackupChoices;
  /** What it uses while it runs, where it has to wait for that. */
  slots?: Slot[];
}

export type NewEvent = Omit<OperationEvent, 'cursor' | 'at'>;

/** Where a running operation is. */
export interface Standing {
  step?: Operation['step'];
  bytes?: Operation['bytes'];
}

/** What an operation records of a backup. */
export type NewBackup = Omit<
  Backup,
  'id' | 'operationId' | 'requestedBy' | 'clusterRef' | 'copies'
>;

/** How an attempt ended. */
export interface Ending {
  status: Exclude<OperationStatus, 'queued' | 'running'>;
  /** For the log. */
  message: string;
  fault?: Fault;
  findings?: Finding[];
  onlyForward?: boolean;
  needsArchive?: boolean;
  outageSeconds?: number;
  /** What a backup made: recorded together with its operation's end. */
  backup?: NewBackup;
  /** What the stores gave of the operation's backup. */
  copies?: FoundCopy[];
}

/** Somebody else has the operation by now; whoever reads this stops and writes nothing more. */
export class LeaseLostError extends Error {
  constructor(lease: Lease) {
    super(`Attempt ${lease.attempt} of operation ${lease.id} is over.`);
    this.name = 'LeaseLostError';
  }
}

/** Operations, their leases and their logs. All replicas work on it at once. */
export interface OperationStore {
  queue(options: NewOperation): Promise<Operation>;
  /** How many of a kind wait. */
  waiting(kind: NewOperation['kind']): Promise<number>;
  /**
   * The oldest queued operation whose cluster is free, and of whose resources none is taken as often as it may be at once.
   * What a person asked for comes first, then backups that are due.
   */
  claim(workerId: string): Promise<Claim | undefined>;
  /** A new restore, running from the start; undefined when its cluster is busy. */
  beginRestore(options: {
    clusterRef: string;
    requestedBy: string;
    backupId: string;
    workerId: string;
    decision?: RestoreDecision;
    /** The approved request that it uses up; it begins with it or not at all. */
    requestId?: string;
  }): Promise<Claim | undefined>;
  /** Takes an interrupted restore up again; undefined when it is not interrupted any more. */
  takeUpRestore(options: {
    id: string;
    workerId: string;
    requestedBy: string;
    undoing: boolean;
  }): Promise<Claim | undefined>;

  /** @throws LeaseLostError */
  renew(lease: Lease): Promise<void>;
  /** @throws LeaseLostError */
  tell(lease: Lease, standing: Standing, events: NewEvent[]): Promise<void>;
  /** @throws LeaseLostError */
  end(lease: Lease, ending: Ending): Promise<void>;
  /** The backup that a restore made of what it replaces. It is there, whoever has the operation by now. */
  recordSafetyBackup(
    operationId: string,
    backup: NewBackup,
    copies: FoundCopy[],
  ): Promise<void>;
  /**
   * Gives an operation back that was not ended: a restore is interrupted, anything else queued again.
   *
   * @throws LeaseLostError
   */
  giveBack(lease: Lease, why: string): Promise<void>;
  /** Gives back what is leased to nobody any more. */
  giveBackExpired(why: string): Promise<Operation[]>;

  /** Cancels a queued operation, and asks for it when it is running; undefined when it is neither. */
  requestCancel(id: string, by: string): Promise<Operation | undefined>;
  /** Operations of a worker that were asked to cancel. */
  cancelRequested(workerId: string): Promise<string[]>;

  /** Restores that wait for a person; somebody may end them without this portal. */
  interrupted(): Promise<Operation[]>;
  /** What the machines said of an interrupted restore, unless it was taken up meanwhile. */
  settleDoubt(
    operation: Operation,
    found: { onlyForward: boolean; needsArchive?: boolean } | Ending,
  ): Promise<void>;

  /**
   * Writes down a restore that the machines remember and nobody here knows.
   *
   * @returns whether it was unknown
   */
  recordRemembered(
    clusterRef: string,
    restore: RememberedRestore,
  ): Promise<boolean>;

  /** Operations whose end, or interruption, the audit was not told of. */
  unaudited(limit: number): Promise<Operation[]>;
  /** The audit was told how it ended. */
  audited(operation: Operation): Promise<void>;

  get(id: string): Promise<Operation | undefined>;
  events(
    id: string,
    cursor: number,
  ): Promise<{ events: OperationEvent[]; cursor: number }>;
  /** Whether a step of an operation was ever done. */
  wasStepDone(id: string, step: string): Promise<boolean>;
  /** What runs, is interrupted or waits on a cluster, in this order. Reading copies is nothing on the cluster. */
  current(clusterRef: string): Promise<Operation | undefined>;
  recent(clusterRef: string, limit: number): Promise<Operation[]>;
  /** The last check of a cluster that succeeded or failed. */
  lastCheck(clusterRef: string): Promise<Operation | undefined>;
  /** Clusters of which a check was asked for lately, or is not over; and those that are being restored. */
  needingNoCheck(options: { askedWithinMs: number }): Promise<Set<string>>;
}
