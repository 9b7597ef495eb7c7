import {
  Fault,
  Finding,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ArchiveSummary,
  ClusterAccess,
  ProgressEvent,
  StoreConfiguration,
} from '@cluster-backup/engine';

/** A configured store, and the module that opens stores of its type. */
export interface StoreToOpen extends StoreConfiguration {
  modulePath: string;
}

/** An archive to restore from; its file key is nowhere but in memory. */
export interface ArchiveToOpen {
  store: StoreToOpen;
  key: string;
  sha256: string;
  fileKey: Uint8Array;
  trustedSigners: string[];
}

/** What the engine is to do; it goes to another process, so it is data. */
export type Job =
  | { type: 'check'; cluster: ClusterAccess }
  | {
      type: 'backup';
      cluster: ClusterAccess;
      store: StoreToOpen;
      recipients: string[];
      /** As PEM. */
      signingKey: string;
      compressionLevel?: number;
    }
  | { type: 'restore'; cluster: ClusterAccess; archive: ArchiveToOpen }
  | { type: 'resume'; cluster: ClusterAccess; archive?: ArchiveToOpen }
  | { type: 'undo'; cluster: ClusterAccess }
  /** Looks at the machines' journals. */
  | { type: 'look'; cluster: ClusterAccess };

/** What the machines' journals say: of a restore that is not over, that there is none, or nothing. */
export type Unfinished =
  | { onlyForward: boolean; needsKey?: boolean }
  | 'none'
  | 'unknown';

/** What came of a job. */
export type Outcome =
  | { type: 'checked'; findings: Finding[] }
  | { type: 'backed-up'; key: string; summary: ArchiveSummary }
  | { type: 'restored'; outageSeconds: number }
  | { type: 'undone' }
  | { type: 'looked'; unfinished: Unfinished }
  /** `unfinished` is told of restores. */
  | { type: 'failed'; fault: Fault; unfinished: Unfinished };

export type FromEngine =
  | { progress: ProgressEvent }
  | { outcome: Outcome }
  /** Nobody foresaw it: for the log. */
  | { defect: string };

export type ToEngine = { job: Job } | { cancel: true };
