import { LoggerService } from '@backstage/backend-plugin-api';
import {
  ApprovedRestoreStart,
  Backup,
  BackupChoices,
  ChosenSecret,
  DifferingObject,
  Operation,
  PutBackResult,
  RequestedRestore,
  RestoreRequest,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ClusterBackupError,
  decisionOf,
  NOTHING_CHANGED,
  WrittenReason,
} from '@cluster-backup/engine';
import { BackupRecordStore } from '../database/BackupRecordStore';
import {
  Claim,
  NewOperation,
  OperationStore,
} from '../database/OperationStore';
import { backupOfCluster } from './backupOfCluster';
import { ConfiguredClusters } from './ConfiguredClusters';
import { ArchiveToOpen, Job, Outcome, wipe } from './Job';
import { foreseen } from './fault';
import { OperationWorker } from './OperationWorker';
import { refuseOtherArchive, RestoreRequests } from './RestoreRequests';
import { recorded } from './recorded';
import { PortalsOwnClusters, refusePortalsOwn } from './portalsOwnCluster';
import { startEngine } from './startEngine';

const FILE_KEY_BYTES = 16;
/** A browser waits for it. */
const OBJECTS_WITHIN_MS = 5 * 60_000;

/** What people may start, end and take up again on a cluster. Whether they may was asked before. */
export class ClusterOperations {
  private readonly clusters: ConfiguredClusters;
  private readonly operations: OperationStore;
  private readonly backups: BackupRecordStore;
  private readonly restoreRequests: RestoreRequests;
  private readonly worker: OperationWorker;
  private readonly logger: LoggerService;
  private readonly portalsOwn: PortalsOwnClusters;

  constructor(options: {
    clusters: ConfiguredClusters;
    operations: OperationStore;
    backups: BackupRecordStore;
    restoreRequests: RestoreRequests;
    worker: OperationWorker;
    logger: LoggerService;
    portalsOwn: PortalsOwnClusters;
  }) {
    this.clusters = options.clusters;
    this.operations = options.operations;
    this.backups = options.backups;
    this.restoreRequests = options.restoreRequests;
    this.worker = options.worker;
    this.logger = options.logger;
    this.portalsOwn = options.portalsOwn;
  }

  async check(clusterRef: string, by: string): Promise<Operation> {
    this.clusters.configuredName(clusterRef);
    return this.queue({ kind: 'check', clusterRef, requestedBy: by });
  }

  async backUp(
    clusterRef: string,
    by: string,
    choices: BackupChoices,
  ): Promise<Operation> {
    this.clusters.configuredName(clusterRef);
    this.clusters.refuseWrong(choices);
    if (choices.withoutQuorum && !choices.reason) {
      throw new ClusterBackupError({
        code: 'reason-missing',
        message: 'A backup without a quorum takes a written reason.',
        state: `${NOTHING_CHANGED} No backup was taken.`,
        remedy: 'Write down why it has to be so; it is kept with the backup.',
      });
    }
    return this.queue(
      {
        kind: 'backup',
        clusterRef,
        requestedBy: by,
        choices: Object.keys(choices).length ? choices : undefined,
      },
      choices.stores,
    );
  }

  /** Reads a backup's copies; of a cluster that is not configured any more too. */
  async verify(backup: Backup, by: string): Promise<Operation> {
    const { id, clusterRef, copies } = backup;
    return this.queue(
      { kind: 'verify', clusterRef, requestedBy: by, backupId: id },
      copies.map(({ store }) => store),
    );
  }

  /** Of a cluster that takes no second person for it. */
  async restore(
    clusterRef: string,
    by: string,
    { reason, ...asked }: RestoreRequest,
  ): Promise<Operation> {
    this.restoreRequests.refuseAlone(clusterRef);
    const written = reason ? { text: reason, by } : undefined;
    return this.beginRestore(clusterRef, by, { ...asked, reason: written });
  }

  /** As it was requested, and approved by a second person. Every right was asked again. */
  async restoreApproved(
    clusterRef: string,
    by: string,
    { requestId, ...start }: ApprovedRestoreStart,
  ): Promise<Operation> {
    const request = await this.restoreRequests.approvedFor(requestId, {
      clusterRef,
      by,
    });
    const { backupId, withFiles, leaveOut, overrides, reason } = request;
    return this.beginRestore(clusterRef, by, {
      ...start,
      ...{ backupId, withFiles, leaveOut, overrides, request },
      reason: { text: reason, by, approvedBy: request.decision?.by },
    });
  }

  /** Never queued: it begins with this request, or not at all. */
  private async beginRestore(
    clusterRef: string,
    by: string,
    options: Omit<RestoreRequest, 'reason'> & {
      reason?: WrittenReason;
      request?: RequestedRestore;
    },
  ): Promise<Operation> {
    const name = this.clusters.configuredName(clusterRef);
    if (options.confirmation !== name) {
      throw new ClusterBackupError({
        code: 'confirmation-wrong',
        message: `What was typed is not the name of the cluster, ${name}.`,
        state: NOTHING_CHANGED,
        remedy: `Type ${name} to confirm that this cluster is to be restored.`,
      });
    }
    const { backupId, withFiles, leaveOut, overrides, reason } = options;
    const decision = decisionOf({ withFiles, leaveOut, overrides, reason });
    const backup = await backupOfCluster(this.backups, clusterRef, backupId);
    const found = await this.clusters.summary(backup);
    refusePortalsOwn(this.portalsOwn, name, backup, found.summary);
    const cluster = this.clusters.access(clusterRef);
    const archive = await this.clusters.archive(backup, found);
    if (options.request) refuseOtherArchive(options.request, archive.sha256);
    const safety = await this.clusters.backupJob(clusterRef).catch(error => {
      // Who has nobody to encrypt to, or no store any more, can restore all the same.
      if (foreseen(error)) return undefined;
      throw error;
    });
    const job: Job = {
      type: 'restore',
      cluster,
      archive: openedWith(archive, backup, options.fileKey),
      withFiles,
      leaveOut,
      overrides,
      reason,
      safety,
    };
    return this.begin(job, async () => {
      const claim = await this.operations.beginRestore({
        clusterRef,
        requestedBy: by,
        backupId: backup.id,
        workerId: this.worker.id,
        decision: decision && recorded(decision),
        requestId: options.request?.id,
      });
      if (claim) return claim;
      throw await this.busy(clusterRef);
    });
  }

  /** How the objects of a cluster differ from those of a backup; it takes as long as reading the archive does. */
  async compareObjects(
    backup: Backup,
    options: { fileKey?: string },
  ): Promise<{ differing: DifferingObject[] }> {
    const outcome = await this.onObjects(backup, options.fileKey);
    if (outcome.type === 'compared') return { differing: outcome.differing };
    throw new Error(`A comparison ended in ${outcome.type}`);
  }

  async putBackObjects(
    backup: Backup,
    options: { fileKey?: string; secrets: ChosenSecret[]; missing: boolean },
  ): Promise<PutBackResult> {
    const { fileKey, ...put } = options;
    const current = await this.operations.current(backup.clusterRef);
    const isHeldUp = current?.kind === 'restore';
    if (isHeldUp) throw await this.busy(backup.clusterRef);
    const outcome = await this.onObjects(backup, fileKey, put);
    if (outcome.type === 'put-back') return outcome.result;
    throw new Error(`Putting back ended in ${outcome.type}`);
  }

  private async onObjects(
    backup: Backup,
    fileKey?: string,
    put?: { secrets: ChosenSecret[]; missing: boolean },
  ): Promise<Outcome> {
    const cluster = this.clusters.access(backup.clusterRef);
    if (!('resource' in cluster)) throw notManaged(backup);
    const closed = await this.clusters.archive(backup);
    const archive = openedWith(closed, backup, fileKey);
    const engine = startEngine(
      { type: 'objects', cluster, archive, put },
      { progress: () => {}, defect: stack => this.logger.warn(stack) },
    );
    const patience = setTimeout(engine.cancel, OBJECTS_WITHIN_MS);
    try {
      const outcome = await engine.outcome;
      if (outcome.type !== 'failed') return outcome;
      throw new ClusterBackupError(outcome.fault);
    } finally {
      clearTimeout(patience);
    }
  }

  async resume(
    operation: Operation,
    by: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    const cluster = this.clusters.access(operation.clusterRef);
    const archive = await this.archiveOf(operation, options.fileKey);
    return this.begin({ type: 'resume', cluster, archive }, () =>
      this.takeUp(operation, by, false),
    );
  }

  async undo(
    operation: Operation,
    by: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    const cluster = this.clusters.access(operation.clusterRef);
    const archive = await this.archiveOf(operation, options.fileKey);
    return this.begin({ type: 'undo', cluster, archive }, () =>
      this.takeUp(operation, by, true),
    );
  }

  async cancel(operation: Operation, by: string): Promise<Operation> {
    const asked = await this.operations.requestCancel(operation.id, by);
    if (!asked) {
      throw new ClusterBackupError({
        code: 'operation-not-cancellable',
        message: `The ${operation.kind} ${operation.id} is neither queued nor running, or is being undone.`,
        state: 'It is as it was.',
        remedy:
          operation.status === 'interrupted'
            ? 'Resume the restore, or undo it.'
            : 'Look at what became of it.',
      });
    }
    this.worker.wake();
    return asked;
  }

  private async queue(
    options: Omit<NewOperation, 'slots'>,
    stores?: string[],
  ): Promise<Operation> {
    const { kind, clusterRef } = options;
    const slots = this.clusters.slots(kind, clusterRef, stores);
    const operation = await this.operations.queue({ ...options, slots });
    this.worker.wake();
    return operation;
  }

  /** What opens the job's archive is forgotten where it does not begin. */
  private async begin(
    job: Job,
    claiming: () => Promise<Claim>,
  ): Promise<Operation> {
    try {
      this.refuseWhenStopping();
      const claim = await claiming();
      const { id, requestedBy: by } = claim.operation;
      const known: Job =
        job.type === 'restore' ? { ...job, origin: { id, by } } : job;
      this.worker.run(claim, async () => known);
      return claim.operation;
    } catch (error) {
      wipe(job);
      throw error;
    }
  }

  private async takeUp(operation: Operation, by: string, undoing: boolean) {
    const claim = await this.operations.takeUpRestore({
      id: operation.id,
      workerId: this.worker.id,
      requestedBy: by,
      undoing,
    });
    if (claim) return claim;
    throw new ClusterBackupError({
      code: 'operation-not-interrupted',
      message: `The ${operation.kind} ${operation.id} is not interrupted.`,
      state: 'It is as it was.',
      remedy: 'Look at what became of it; somebody else may have taken it up.',
    });
  }

  /** Where it may be needed and can be opened; the machines know whether it is. */
  private async archiveOf(
    operation: Operation,
    fileKey?: string,
  ): Promise<ArchiveToOpen | undefined> {
    if (operation.needsArchive === false) return undefined;
    const backup =
      operation.backupId && (await this.backups.get(operation.backupId));
    if (backup && fileKey !== undefined) {
      const archive = await this.clusters.archive(backup);
      return openedWith(archive, backup, fileKey);
    }
    if (fileKey === undefined) {
      // Nobody asked for it; whether it is missed the engine says.
      return backup && !backup.isEncrypted
        ? this.clusters.archive(backup).catch(() => undefined)
        : undefined;
    }
    throw new ClusterBackupError({
      code: 'backup-unknown',
      message: `The backup that ${operation.id} restores is not known any more.`,
      state: 'The restore is as it was.',
      remedy:
        'Undo it, or resume it with the command and a copy of the archive.',
    });
  }

  private async busy(clusterRef: string) {
    const current = await this.operations.current(clusterRef);
    return new ClusterBackupError({
      code: 'cluster-busy',
      message: current
        ? `A ${current.kind} of ${clusterRef} is ${current.status}.`
        : `${clusterRef} is busy.`,
      state: NOTHING_CHANGED,
      remedy:
        current?.status === 'interrupted'
          ? 'Resume or undo that restore first.'
          : 'Wait until it has ended, or cancel it, then start again.',
      details: { operation: current?.id },
    });
  }

  private refuseWhenStopping() {
    if (!this.worker.isStopping) return;
    throw new ClusterBackupError({
      code: 'portal-stopping',
      message: 'This portal is being stopped.',
      state: NOTHING_CHANGED,
      remedy: 'Start again in a minute.',
    });
  }
}

function notManaged({ clusterRef }: Backup) {
  return new ClusterBackupError({
    code: 'put-back-not-managed',
    message: `${clusterRef} is not of layout gdc: nothing but etcd holds its objects.`,
    state: NOTHING_CHANGED,
    remedy: 'Restore the backup, or take what you need out of the archive.',
  });
}

/** A backup's archive with what opens it, where anything is needed to. */
function openedWith(
  archive: ArchiveToOpen,
  backup: Backup,
  text: string = '',
): ArchiveToOpen {
  if (!backup.isEncrypted) return archive;
  const fileKey = Buffer.from(text, 'base64');
  const isOne =
    fileKey.length === FILE_KEY_BYTES && fileKey.toString('base64') === text;
  if (isOne) return { ...archive, fileKey };
  throw new ClusterBackupError({
    code: 'request-invalid',
    message: `The file key of an archive is ${FILE_KEY_BYTES} bytes in base64.`,
    state: NOTHING_CHANGED,
    remedy: "Take it from the archive's header with an identity.",
  });
}
