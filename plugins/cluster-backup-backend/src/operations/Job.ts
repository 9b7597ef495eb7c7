import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import {
  BackupCopy,
  ChosenSecret,
  DifferingObject,
  Fault,
  Finding,
  PutBackResult,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ArchiveSummary,
  ClusterAccess,
  Description,
  FoundBackup,
  GdcAccess,
  Packing,
  ProgressEvent,
  RestoreOnRecord,
  RestoreOrigin,
  StoreConfiguration,
  WrittenReason,
} from '@cluster-backup/engine';

/** A configured store, and what opens stores of its type. */
export type PluggedStore = StoreConfiguration &
  Omit<StoreType, 'type'> & {
    /** Which one it is, where that is known: another disk in its place is refused. */
    identity?: string;
  };

/** An archive to restore from; its file key, where it is encrypted, is nowhere but in memory. */
export interface ArchiveToOpen {
  store: PluggedStore;
  key: string;
  sha256: string;
  fileKey?: Uint8Array;
  trustedSigners: string[];
  expireAfterDays: number;
}

/** What the last backup of a cluster is, or why no store tells. */
export type LastBackup = { description: Description } | { fault: Fault };

/** What the engine is to do; it goes to another process, so it is data. */
export type Job =
  | { type: 'check'; cluster: ClusterAccess; lastBackup?: LastBackup }
  | {
      type: 'backup';
      cluster: ClusterAccess;
      folder: string;
      /** The archive's, where it is not the usual one. */
      name?: string;
      /** Of the latest data that is left, when etcd lost its quorum. */
      withoutQuorum?: boolean;
      /** Why a person asked for that. */
      reason?: WrittenReason;
      stores: PluggedStore[];
      packing: Packing;
      /** As PEM. */
      signingKey: string;
    }
  | {
      type: 'restore';
      cluster: ClusterAccess;
      archive: ArchiveToOpen;
      withFiles?: boolean;
      leaveOut?: string[];
      overrides?: string[];
      reason?: WrittenReason;
      /** The operation that it is, and who asked for it; left on the machines. */
      origin?: RestoreOrigin;
      /** What is replaced is backed up before, where it can be configured so. */
      safety?: BackupJob;
    }
  | { type: 'resume'; cluster: ClusterAccess; archive?: ArchiveToOpen }
  | { type: 'undo'; cluster: ClusterAccess; archive?: ArchiveToOpen }
  /** Reads every copy of a backup, and makes those that are missing. */
  | {
      type: 'verify';
      key: string;
      stores: PluggedStore[];
      trustedSigners: string[];
    }
  /** Sweeps a store, and finds the backups in it that there is no record of. */
  | {
      type: 'tend';
      store: PluggedStore;
      recorded: string[];
      trustedSigners: string[];
    }
  /** Compares objects with those of an archive, or puts some of them back. */
  | {
      type: 'objects';
      cluster: GdcAccess;
      archive: ArchiveToOpen;
      put?: { secrets: ChosenSecret[]; missing: boolean };
    }
  /** Asks the machines' journals about a restore. */
  | { type: 'look'; cluster: ClusterAccess; operationId: string }
  /** Asks them about all restores that they remember. */
  | { type: 'recall'; cluster: ClusterAccess };

/** What a store gave of a backup. */
export type FoundCopy = Omit<BackupCopy, 'checkedAt' | 'verifiedAt'>;

export type CheckJob = Extract<Job, { type: 'check' }>;
export type BackupJob = Extract<Job, { type: 'backup' }>;

/** What a backup made. */
export interface MadeBackup {
  key: string;
  summary: ArchiveSummary;
  copies: FoundCopy[];
}

type RestoreJob = Extract<Job, { type: 'restore' | 'resume' | 'undo' }>;

export function isRestore(job: Job): job is RestoreJob {
  return ['restore', 'resume', 'undo'].includes(job.type);
}

/** Forgets what opens the archive of a job. */
export function wipe(job: Job) {
  if ('archive' in job) job.archive?.fileKey?.fill(0);
}

/** A restore that is not over, as the machines' journals tell of it. */
export interface HeldUp {
  onlyForward: boolean;
  needsArchive?: boolean;
}

/** What the machines' journals say: of a restore that is not over, that there is none, or nothing. */
export type Unfinished = HeldUp | 'none' | 'unknown';

/** What they remember of a restore, whoever did it. */
export type RememberedRestore = RestoreOnRecord & { heldUp?: HeldUp };

/** What came of a job. */
export type Outcome =
  | { type: 'checked'; findings: Finding[] }
  | ({ type: 'backed-up' } & MadeBackup)
  | { type: 'verified'; copies: FoundCopy[] }
  | { type: 'tended'; swept: string[]; found: FoundBackup[] }
  | { type: 'compared'; differing: DifferingObject[] }
  | { type: 'put-back'; result: PutBackResult }
  | { type: 'restored'; outageSeconds: number; findings: Finding[] }
  | { type: 'undone' }
  /** `ended`: how, where the machines remember that it did. */
  | {
      type: 'looked';
      unfinished: Unfinished;
      ended?: 'restored' | 'taken-back';
    }
  | { type: 'recalled'; restores: RememberedRestore[]; unread: string[] }
  /** `unfinished` is told of restores. */
  | { type: 'failed'; fault: Fault; unfinished: Unfinished };

export type FromEngine =
  | { progress: ProgressEvent }
  /** Besides what the job is for. */
  | { made: MadeBackup }
  | { outcome: Outcome }
  /** Nobody foresaw it: for the log. */
  | { defect: string };

export type ToEngine = { job: Job } | { cancel: true };
