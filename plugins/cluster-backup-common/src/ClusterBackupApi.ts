import {
  ApprovedRestoreStart,
  Backup,
  BackupChoices,
  BackupPage,
  ChosenSecret,
  ClusterAssessment,
  ClusterOverview,
  ClusterRetention,
  CustodyEntry,
  DifferingObject,
  KeptBackup,
  KeptDataReport,
  ManagedClusters,
  MintedKubeconfig,
  NewRestoreRequest,
  Operation,
  OperationEvents,
  PutBackResult,
  RecipientChallenge,
  RecipientProof,
  RequestedRestore,
  RestoreRequest,
} from './types';

/**
 * What a portal offers about the backups of its clusters. Every call is made as the person who is signed in; what is
 * refused or fails is thrown as a `ResponseError` whose body carries a {@link Fault}.
 *
 * @public
 */
export interface ClusterBackupApi {
  getCluster(clusterRef: string): Promise<ClusterOverview>;
  getBackups(
    clusterRef: string,
    options?: { next?: string; limit?: number },
  ): Promise<BackupPage>;
  getBackup(id: string): Promise<Backup>;
  /** The archive, encrypted as it is stored. */
  downloadArchive(id: string): Promise<Blob>;
  /** What was done to the archive, newest first. */
  getCustody(id: string): Promise<CustodyEntry[]>;
  /** The archive's age header: what an identity takes the archive's file key from, where it lies. */
  getBackupHeader(id: string): Promise<Uint8Array>;
  /** What restoring a backup would do to the user clusters that its cluster manages. */
  getManagedClusters(id: string): Promise<ManagedClusters>;

  /** Asks the machines what takes less than a restore, or comes before one. */
  getAssessment(clusterRef: string): Promise<ClusterAssessment>;
  /** Asks the machines what restores replaced and kept. */
  getKeptData(clusterRef: string): Promise<KeptDataReport>;
  /** Removes what a restore kept, for good; answers what is kept after it. */
  acceptRestore(clusterRef: string, operation: string): Promise<KeptDataReport>;

  /** What to do where the portal is gone, as Markdown. */
  getRunbook(clusterRef: string): Promise<string>;

  /** Makes a kubeconfig that is good for an hour, of the authority on the cluster's nodes. */
  mintKubeconfig(clusterRef: string): Promise<MintedKubeconfig>;

  startCheck(clusterRef: string): Promise<Operation>;
  startBackup(clusterRef: string, choices?: BackupChoices): Promise<Operation>;
  startRestore(
    clusterRef: string,
    request: RestoreRequest | ApprovedRestoreStart,
  ): Promise<Operation>;

  /** Asks a second person to approve a restore. */
  requestRestore(
    clusterRef: string,
    request: NewRestoreRequest,
  ): Promise<RequestedRestore>;
  getRequestedRestore(id: string): Promise<RequestedRestore>;
  /** As a second person; alone, with a reason, where the person is one of those who may in an emergency. */
  approveRestore(
    id: string,
    options: { reason?: string; emergency?: boolean },
  ): Promise<RequestedRestore>;
  rejectRestore(
    id: string,
    options: { reason: string },
  ): Promise<RequestedRestore>;
  /** Takes one's own request back. */
  withdrawRestore(id: string): Promise<RequestedRestore>;

  /** Reads every copy of a backup, and makes those that are missing from one that is good. */
  verifyBackup(id: string): Promise<Operation>;

  /** The objects that are not as they are in a backup of a cluster of Google Distributed Cloud; all of it is read. */
  compareObjects(
    id: string,
    options: { fileKey?: string },
  ): Promise<{ differing: DifferingObject[] }>;
  /** Puts single Secrets back, and creates what is missing. */
  putBackObjects(
    id: string,
    options: { fileKey?: string; secrets: ChosenSecret[]; missing: boolean },
  ): Promise<PutBackResult>;

  /** Says that a backup is to be kept, whatever a rule says. */
  holdBackup(id: string, options: { reason: string }): Promise<KeptBackup>;
  /** Takes that back, in every store. */
  releaseBackup(id: string): Promise<Backup>;

  /** How long a cluster's backups are kept; what goes, when and why. */
  getRetention(clusterRef: string): Promise<ClusterRetention>;
  /** The rule is for the backups that were found in stores too. */
  acceptFoundBackups(clusterRef: string): Promise<ClusterRetention>;

  /** Asks for something that only the holder of a recipient's identity can open. */
  challengeRecipient(
    clusterRef: string,
    recipient: string,
  ): Promise<RecipientChallenge>;
  /** Shows that it was opened. */
  proveRecipient(
    clusterRef: string,
    options: { recipient: string; expiresAt: string; answer: string },
  ): Promise<RecipientProof>;

  getOperation(id: string): Promise<Operation>;
  /** What is new since `after`; 0 for everything. */
  getOperationEvents(id: string, after: number): Promise<OperationEvents>;
  cancelOperation(id: string): Promise<Operation>;
  /** Goes on with an interrupted restore. The archive's key is needed where nothing else tells how machines are reached. */
  resumeRestore(id: string, options: { fileKey?: string }): Promise<Operation>;
  /** Takes an interrupted restore back. */
  undoRestore(id: string, options: { fileKey?: string }): Promise<Operation>;
}
