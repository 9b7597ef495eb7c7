/**
 * What went wrong, as it is shown: what happened and where, what state things are in now, and what to do.
 *
 * @public
 */
export interface Fault {
  /** Stable and kebab-case: `host-key-changed`. */
  code: string;
  message: string;
  state: string;
  remedy: string;
  details?: Record<string, unknown>;
}

/** Something true about a backup that a person should know. @public */
export interface Reservation {
  /** Stable and kebab-case. */
  id: string;
  title: string;
  message: string;
  machine?: string;
}

/** What a check found. @public */
export interface Finding {
  check: string;
  level: 'ok' | 'reservation' | 'refusal';
  code: string;
  machine?: string;
  message: string;
  remedy: string;
}

/**
 * Where a backup is, or should be. `good`: when it was read last, the store gave what was signed. `missing`: it has
 * none. `damaged`: it gave something else. `unknown`: it could not be asked.
 *
 * @public
 */
export interface BackupCopy {
  store: string;
  state: 'good' | 'missing' | 'damaged' | 'unknown';
  /** When the store was asked last; ISO 8601. */
  checkedAt: string;
  /** When all of it was read last and was good; ISO 8601. */
  verifiedAt?: string;
  /** Until when the store lets nobody remove it; ISO 8601. */
  lockedUntil?: string;
  /** Why it is not good. */
  fault?: Fault;
}

/** That a backup is to be kept, whatever a rule says. It lies in the stores, beside the archive. @public */
export interface BackupHold {
  /** Who wants it kept: an entity reference; `unknown` where what a store has about it cannot be read. */
  by: string;
  /** Since when; ISO 8601. */
  at: string;
  /** Why, in the words of who wants it. */
  reason: string;
}

/** What came of asking that a backup be kept; one store has the hold at least. @public */
export interface KeptBackup {
  backup: Backup;
  /** Stores that did not take the hold, and why. */
  failed: { store: string; fault: Fault }[];
}

/** The record of an archive. @public */
export interface Backup {
  id: string;
  /** The cluster's entity. */
  clusterRef: string;
  /** In every store that it was meant for. */
  copies: BackupCopy[];
  /** The archive's key in the stores. */
  key: string;
  /** ISO 8601. */
  createdAt: string;
  /** Whether opening it takes an identity of one of its recipients. */
  isEncrypted: boolean;
  /** Bytes of the archive. */
  size: number;
  /** Bytes of the etcd snapshot in it. */
  snapshotSize: number;
  /** etcd's revision. */
  revision: number;
  /** The etcd member that it was taken from. */
  member: string;
  versions: { kubernetes?: string; etcd: string; gdc?: string };
  /** Of a cluster of Google Distributed Cloud. */
  gdc?: {
    /** `admin`, `hybrid`, `standalone` or `user`. */
    type?: string;
    /** Of a user cluster: the name of the cluster that manages it. */
    managedBy?: string;
  };
  nodes: string[];
  /** sha256 of the archive, hex. */
  sha256: string;
  /** Fingerprint of the key that signed it. */
  signer: string;
  reservations: Reservation[];
  /** Who asked for it: an entity reference. Absent where it was found in a store. */
  requestedBy?: string;
  operationId?: string;
  /** It was taken right before a restore, and holds what that restore replaced. */
  isBeforeRestore: boolean;
  /** When it was found in a store, without a record of who made it; ISO 8601. */
  foundAt?: string;
  /** That it is to be kept; absent where nobody said so. */
  hold?: BackupHold;
}

/**
 * Something that was done to an archive. `opened`: its header was given to a person who restores. `restored`: a restore
 * of it succeeded, `restoring`: one was begun.
 *
 * @public
 */
export interface CustodyEntry {
  /** ISO 8601. */
  at: string;
  event:
    | 'created'
    | 'found'
    | 'verified'
    | 'damaged'
    | 'missing'
    | 'downloaded'
    | 'opened'
    | 'compared'
    | 'put-back'
    | 'restoring'
    | 'restored'
    | 'held'
    | 'released'
    | 'deleted';
  /** Who did, an entity reference; absent where nobody did. */
  by?: string;
  /** In the words of who did. */
  why?: string;
  /** Where, if it was one copy. */
  store?: string;
  operationId?: string;
}

/** What may be chosen for one backup. @public */
export interface BackupChoices {
  /** The archive's own name, of letters, digits and `. _ -`; its ending is added. */
  name?: string;
  /** Ids of the stores that it goes to, instead of all of them. */
  stores?: string[];
  /** When etcd lost its quorum: of the member with the latest data, running or stopped. */
  withoutQuorum?: boolean;
  /** Why, in the words of who wants it; a backup without a quorum takes one. */
  reason?: string;
}

/** What takes less than a restore, or comes before one. @public */
export interface ClusterAssessment {
  /** The least that helps. */
  advice:
    | 'nothing-to-restore'
    | 'start-api-servers'
    | 'start-members'
    | 'back-up-survivor'
    | 'restore-backup';
  /** What is so. */
  message: string;
  /** What to do. */
  remedy: string;
  /** Where etcd has no quorum, the member with the latest data. */
  survivor?: string;
}

/** What a restore replaced on one machine and kept. @public */
export interface KeptData {
  machine: string;
  /** The restore that it was kept by. */
  operation: string;
  /** The folder on the machine. */
  path: string;
  bytes: number;
  /** When that restore began. */
  since: string;
}

/** @public */
export interface KeptDataReport {
  kept: KeptData[];
  /** Machines that could not be looked at, and why. */
  unread: Array<{ machine: string; message: string }>;
  /** It is removed after so many days, unless it is accepted before. */
  keepReplacedDays: number;
}

/** A way into a cluster that ends by itself; it is given once and kept nowhere. @public */
export interface MintedKubeconfig {
  kubeconfig: string;
  /** Where it leads: the address that the cluster's kubelets use. */
  server: string;
  /** ISO 8601. */
  expiresAt: string;
}

/** What a person may choose for a restore. All of it takes a written reason. @public */
export interface RestoreChoices {
  /** Put certificates, keys and manifests back on every control-plane node, not only where they were lost. */
  withFiles?: boolean;
  /** Names of control-plane machines that the person states to be powered off for good. */
  leaveOut?: string[];
  /** Codes of refusals that do not stop this restore. */
  overrides?: string[];
}

/** Codes of refusals that a person may override for one restore. @public */
export const overridableRefusals = [
  'archive-expired',
  'etcd-tool-cannot-bump',
  'clock-skew',
  'gdc-job-running',
] as const;

/** What a person asks for who restores. @public */
export interface RestoreRequest extends RestoreChoices {
  backupId: string;
  /** The cluster's name, as the person typed it. */
  confirmation: string;
  /** The 16-byte file key of this one archive, base64; none where it is not encrypted. */
  fileKey?: string;
  /** Why, where anything was chosen. */
  reason?: string;
}

/** Starts a restore that was requested and approved: what is restored, and how, the request says. @public */
export interface ApprovedRestoreStart {
  requestId: string;
  /** The cluster's name, as the person typed it. */
  confirmation: string;
  /** The 16-byte file key of this one archive, base64; none where it is not encrypted. */
  fileKey?: string;
}

/** What is asked of a second person. @public */
export interface NewRestoreRequest extends RestoreChoices {
  backupId: string;
  reason: string;
}

/** A machine as it is configured. @public */
export interface TargetMachine {
  name: string;
  role: 'control-plane' | 'worker' | 'jump';
  /** `USER@ADDRESS:PORT`. */
  login: string;
  /** Fingerprints of host keys that are accepted; none where it is trusted on first use. */
  hostKeys: string[];
}

/** What a restore would be done to, as the configuration has it. @public */
export interface RestoreTarget {
  name: string;
  layout: 'kubeadm' | 'gdc';
  machines: TargetMachine[];
  /** Of Google Distributed Cloud: the Cluster resource, `NAMESPACE/NAME`, and the API server that has it. */
  resource?: string;
  server?: string;
}

/**
 * `pending`: it waits for a second person. `approved`: its requester may start it. `started`: they did; it is used up.
 * `void`: something that it froze is not so any more.
 *
 * @public
 */
export type RequestedRestoreStatus =
  | 'pending'
  | 'approved'
  | 'rejected'
  | 'withdrawn'
  | 'started'
  | 'expired'
  | 'void';

/** A restore that a person asks a second one to approve. What it says is frozen. @public */
export interface RequestedRestore extends RestoreChoices {
  id: string;
  clusterRef: string;
  backupId: string;
  status: RequestedRestoreStatus;
  /** An entity reference. */
  requestedBy: string;
  /** ISO 8601. */
  requestedAt: string;
  expiresAt: string;
  reason: string;
  archive: {
    key: string;
    /** ISO 8601. */
    createdAt: string;
    /** Hex. */
    sha256: string;
  };
  target: RestoreTarget;
  /** What was looked at when it was requested; findings are there when it has ended. */
  check: Pick<Operation, 'id' | 'status' | 'findings' | 'fault'>;
  /** Why it is void. */
  voidBecause?: string[];
  decision?: {
    by: string;
    /** ISO 8601. */
    at: string;
    reason?: string;
    /** Approved alone, by one of those who may in an emergency. */
    isEmergency: boolean;
  };
  /** The restore that it was started as. */
  operationId?: string;
}

/** What a restore does that it does not do by itself, and on whose word. @public */
export interface RestoreDecision {
  /** `with-files`, `leave-out MACHINE`, and codes of refusals that were overridden. */
  what: string[];
  reason: string;
  by: string;
  /** The second person. */
  approvedBy?: string;
}

/** @public */
export type OperationKind = 'check' | 'backup' | 'restore' | 'verify';

/**
 * `interrupted`: a restore whose portal went away in the middle of it, or which ended half-way; it waits for a person
 * to resume or undo it, and nothing else is done to its cluster until then.
 *
 * @public
 */
export type OperationStatus =
  | 'queued'
  | 'running'
  | 'interrupted'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'undone';

/** One run of check, backup, restore or verify. @public */
export interface Operation {
  id: string;
  kind: OperationKind;
  status: OperationStatus;
  clusterRef: string;
  requestedBy: string;
  /** ISO 8601. */
  requestedAt: string;
  startedAt?: string;
  endedAt?: string;
  /** When a schedule wanted it; it is there once for each such time. */
  dueAt?: string;
  /** How often it was begun; a backup is begun again when its portal went away. */
  attempt: number;
  cancelRequested: boolean;
  /** Of a restore: it is being taken back, or was. */
  undoing?: boolean;
  /** The step that runs, or ran last. */
  step?: { name: string; title: string };
  /** How far the step's stream is, in bytes and bytes a second. */
  bytes?: { done: number; total?: number; rate: number };
  /** Of a backup: what was chosen for it; absent where nothing was. */
  choices?: BackupChoices;
  /** Of a restore: what was decided, and why. */
  decision?: RestoreDecision;
  /** The backup that it made, puts back or verifies. */
  backupId?: string;
  /** Of a restore: an API server may have run on the restored data, so it can be resumed and not undone. */
  onlyForward?: boolean;
  /** Of an interrupted restore: whether resuming it reads the archive once more, and takes its key if it has one. */
  needsArchive?: boolean;
  /** Of a restore: from the first API server's stop to the last one's readiness. */
  outageSeconds?: number;
  findings?: Finding[];
  fault?: Fault;
}

/** A line of an operation's log. @public */
export interface OperationEvent {
  /** Grows; ask for what comes after it. */
  cursor: number;
  /** ISO 8601. */
  at: string;
  type: 'step-started' | 'step-done' | 'note' | 'status';
  step?: string;
  machine?: string;
  message: string;
}

/** @public */
export interface OperationEvents {
  operation: Operation;
  events: OperationEvent[];
  /** To ask for the next ones with. */
  cursor: number;
}

/** An age recipient of backups, and whether anybody has shown that its identity is not lost. @public */
export interface RecipientProof {
  recipient: string;
  /** When a person opened something sealed for it last; ISO 8601. */
  provenAt?: string;
  /** Who did: an entity reference. */
  provenBy?: string;
  /** It was proven within the last year. */
  isProven: boolean;
}

/** Something that only the holder of a recipient's identity can open. @public */
export interface RecipientChallenge {
  recipient: string;
  /** ISO 8601. */
  expiresAt: string;
  /** An age file, base64; in it is the answer, as text. */
  sealed: string;
}

/** Whose a cluster is, as far as rights count it: references of groups and persons. @public */
export interface ClusterOwnership {
  owners: string[];
  /** The portal's configuration says so, and not the catalog. */
  isPinned: boolean;
  /** What the catalog says since, and does not count yet. */
  next?: {
    owners: string[];
    /** When it was seen first; ISO 8601. */
    since: string;
    /** ISO 8601. */
    countsFrom: string;
  };
}

/** Something that makes it doubtful whether a cluster could be brought back, and the one thing to do about it. @public */
export interface ProtectionReason {
  code:
    | 'never-backed-up'
    | 'no-schedule'
    | 'no-good-copy'
    | 'too-few-copies'
    | 'copy-missing'
    | 'copy-damaged'
    | 'copy-unread'
    | 'cannot-be-backed-up'
    | 'backup-failed'
    | 'backup-too-old'
    | 'backup-expiring'
    | 'backup-expired'
    | 'check-failed'
    | 'not-restorable'
    | 'reservations'
    | 'identity-unproven';
  level: 'at-risk' | 'unprotected';
  message: string;
  remedy: string;
}

/** Whether a cluster could be brought back from its backups. @public */
export interface ClusterProtection {
  level: 'protected' | 'at-risk' | 'unprotected';
  /** The worst first; none where it is protected. */
  reasons: ProtectionReason[];
}

/** Something that keeps a backup. @public */
export interface BackupKeeper {
  by:
    | 'hold'
    | 'lock'
    | 'needed'
    | 'found'
    | 'ahead-of-clock'
    | 'newest-verified'
    | 'nothing-newer-verified'
    | 'newest-drilled'
    | 'before-restore'
    | 'age'
    | 'last'
    | 'daily'
    | 'weekly'
    | 'monthly';
  /** Where it ends by itself: when; ISO 8601. */
  until?: string;
  /** The day, week or month that it is the newest of: `2026-11-22`, `2026-W47`, `2026-11`. */
  period?: string;
  hold?: BackupHold;
}

/** What becomes of a backup by its cluster's rule. @public */
export interface RetainedBackup {
  id: string;
  /** The archive's, in its stores. */
  key: string;
  /** ISO 8601, as the times below. */
  createdAt: string;
  isBeforeRestore: boolean;
  /** All that keeps it, the strongest first; where there is nothing it goes. */
  keptBy: BackupKeeper[];
  /** Why no number of the rule keeps it; absent where one does. */
  ended?: 'expired' | 'before-restore-over' | 'not-in-rule';
  /** When it is removed, as things are; absent where that takes a person, or a newer backup. */
  goesAt?: string;
  /** From then on no number of the rule keeps it. */
  expiresAt: string;
}

/** How long a cluster's backups are kept, and what becomes of each. @public */
export interface ClusterRetention {
  rule: {
    last: number;
    daily: number;
    weekly: number;
    monthly: number;
    withinDays: number;
    timeZone: string;
    expireAfterDays: number;
    keepReplacedDays: number;
  };
  /** Newest first. */
  backups: RetainedBackup[];
  /** So many were found in stores and are kept until somebody accepts that the rule is for them too. */
  foundCount: number;
}

/** What its Backup tab shows of a cluster. @public */
export interface ClusterOverview {
  clusterRef: string;
  /** Its name in the configuration, which a person types to confirm a restore; undefined when it is not configured. */
  name?: string;
  /** Why it cannot be backed up, when it cannot. */
  fault?: Fault;
  stores: string[];
  /** Backups that are older are not restored. */
  expireAfterDays: number;
  /** Where people find help with a restore. */
  supportLink?: { url: string; title?: string };
  /** Who can open backups that are taken from now on. */
  recipients: RecipientProof[];
  protection: ClusterProtection;
  /** The last one but those of what a restore replaced. */
  lastBackup?: Backup;
  /** When the next one is due by its schedule; ISO 8601. */
  nextBackupAt?: string;
  /** The operation that is queued, running or interrupted. */
  current?: Operation;
  /** The last operations, newest first; the current one among them. */
  recent: Operation[];
  /** The portal runs on it, or needs it, and does not restore it. */
  runsPortal: boolean;
  ownership: ClusterOwnership;
  /** A restore takes the approval of a second person. */
  needsSecondPerson: boolean;
  /** The last restores that were requested, newest first. */
  restoreRequests: RequestedRestore[];
  /** What the person who asks may do, and what keeps them from it. `approveAlone`: in an emergency. */
  allowed: Record<
    'create' | 'restore' | 'approve' | 'approveAlone' | 'manage' | 'reveal',
    { allowed: boolean; reason?: string }
  >;
}

/**
 * What a restore does to a user cluster that the restored cluster manages. `same`: its spec is what it was. `back`: its
 * spec goes back in time. `forgotten`: it was created since the backup. `returns`: it was deleted since. `unknown`:
 * nobody tells how it is now.
 *
 * @public
 */
export interface ManagedCluster {
  name: string;
  namespace: string;
  change: 'same' | 'back' | 'forgotten' | 'returns' | 'unknown';
}

/** The user clusters of a backup's cluster, then and now. @public */
export interface ManagedClusters {
  clusters: ManagedCluster[];
  /** Why it is not known how they are now, or were then. */
  fault?: Fault;
}

/**
 * How an object that an archive has differs from the one that is there: by name. Values are never told.
 *
 * @public
 */
export interface DifferingObject {
  kind: string;
  namespace: string;
  name: string;
  /** `missing`: it is not there. */
  difference: 'missing' | 'differs';
  /** Of one that is there: which one was compared. */
  resourceVersion?: string;
  /** Names of a Secret's keys, paths in a spec. */
  fields: { name: string; change: 'added' | 'removed' | 'changed' }[];
}

/** A Secret that is to be put back. @public */
export interface ChosenSecret {
  namespace: string;
  name: string;
  /** Of the one that a person saw; one that was changed since is left alone. */
  resourceVersion?: string;
}

/** What became of objects that were to be put back; each is named `KIND NAMESPACE/NAME`. @public */
export interface PutBackResult {
  created: string[];
  updated: string[];
  /** They were as in the archive already. */
  same: string[];
  failed: { object: string; why: string }[];
}

/** Newest first. @public */
export interface BackupPage {
  backups: Backup[];
  /** To ask for the next page with; absent on the last one. */
  next?: string;
}
