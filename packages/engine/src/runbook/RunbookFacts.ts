import { Description } from '../archive';

/** A backup as a runbook names it. @public */
export interface RunbookBackup {
  /** ISO 8601. */
  createdAt: string;
  /** The archive's key in the stores. */
  key: string;
  /** Of the stores that have it. */
  stores: string[];
  /** Bytes of the archive. */
  size: number;
  revision: number;
  sha256: string;
  signer: string;
  isEncrypted: boolean;
  /** It holds what a restore was about to replace. */
  isBeforeRestore: boolean;
  /** What restores it without a portal, a line for each option. */
  command: string[];
}

/** What a runbook is written from. No member of it is a secret. @public */
export interface RunbookFacts {
  /** The cluster's name, as its archives have it. */
  cluster: string;
  /** ISO 8601. */
  writtenAt: string;
  /** Newest first. */
  backups: RunbookBackup[];
  /** Of the newest backup whose signed summary could be read, as the cluster was before any harm. */
  description?: Description;
  stores: Array<{
    id: string;
    /** Where a person finds it: a folder, or a bucket. */
    place: string;
  }>;
  /** Who can open what is written from now on. */
  recipients: Array<{
    recipient: string;
    /** Who showed last that its identity is not lost, and when: ISO 8601. */
    provenBy?: string;
    provenAt?: string;
  }>;
  /** Archives that are older are not restored. */
  expireAfterDays: number;
}
