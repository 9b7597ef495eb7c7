import { isDeepStrictEqual } from 'node:util';
import {
  NewRestoreRequest,
  RequestedRestore,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ClusterBackupError,
  decisionOf,
  NOTHING_CHANGED,
  targetOf,
} from '@cluster-backup/engine';
import {
  refuseOtherPerson,
  refuseSamePerson,
} from '../authorization/secondPerson';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { OperationStore } from '../database/OperationStore';
import {
  requestClosed,
  RestoreRequestStore,
  StoredRequest,
} from '../database/RestoreRequestStore';
import { backupOfCluster } from './backupOfCluster';
import { ConfiguredClusters } from './ConfiguredClusters';
import { foreseen } from './fault';
import { OperationWorker } from './OperationWorker';
import { PortalsOwnClusters, refusePortalsOwn } from './portalsOwnCluster';
import { Protection } from './protection';

const RECENT = 5;
const OTHER_ARCHIVE = 'The archive is not the one that was requested.';

/** Restores that persons ask others to approve. Whether they may was asked before. */
export class RestoreRequests {
  private readonly clusters: ConfiguredClusters;
  private readonly operations: OperationStore;
  private readonly backups: BackupRecordStore;
  private readonly requests: RestoreRequestStore;
  private readonly worker: OperationWorker;
  private readonly protectionOf: (clusterName?: string) => Protection;
  private readonly expireInMs: number;
  private readonly portalsOwn: PortalsOwnClusters;

  constructor(options: {
    clusters: ConfiguredClusters;
    operations: OperationStore;
    backups: BackupRecordStore;
    requests: RestoreRequestStore;
    worker: OperationWorker;
    portalsOwn: PortalsOwnClusters;
    protectionOf: (clusterName?: string) => Protection;
    /** So long a request counts. */
    expireInMs: number;
  }) {
    this.clusters = options.clusters;
    this.operations = options.operations;
    this.backups = options.backups;
    this.requests = options.requests;
    this.worker = options.worker;
    this.portalsOwn = options.portalsOwn;
    this.protectionOf = options.protectionOf;
    this.expireInMs = options.expireInMs;
  }

  needsSecondPerson(clusterRef: string): boolean {
    return this.protectionOf(this.clusters.name(clusterRef)).secondPerson;
  }

  /** @throws ClusterBackupError `approval-needed` where a restore takes a second person */
  refuseAlone(clusterRef: string) {
    if (!this.needsSecondPerson(clusterRef)) return;
    throw new ClusterBackupError({
      code: 'approval-needed',
      message: `A restore of ${clusterRef} takes the approval of a second person.`,
      state: NOTHING_CHANGED,
      remedy: 'Request the restore; when it is approved, start it.',
    });
  }

  /** Freezes what is to be restored onto what, has the cluster checked, and waits for a second person. */
  async request(
    clusterRef: string,
    by: string,
    { backupId, reason, ...choices }: NewRestoreRequest,
  ): Promise<RequestedRestore> {
    const target = targetOf(this.clusters.access(clusterRef));
    decisionOf({ ...choices, reason: { text: reason, by } });
    const backup = await backupOfCluster(this.backups, clusterRef, backupId);
    const current = await this.operations.current(clusterRef);
    if (current?.kind === 'restore') {
      throw new ClusterBackupError({
        code: 'cluster-busy',
        message: `A restore of ${clusterRef} is ${current.status}.`,
        state: NOTHING_CHANGED,
        remedy: 'Wait until it is over; then look at whether one is wanted.',
        details: { operation: current.id },
      });
    }
    const { summary } = await this.clusters.summary(backup);
    const name = this.clusters.configuredName(clusterRef);
    refusePortalsOwn(this.portalsOwn, name, backup, summary);
    const check = await this.operations.queue({
      kind: 'check',
      clusterRef,
      requestedBy: by,
    });
    this.worker.wake();
    const { key, createdAt } = backup;
    return this.shown(
      await this.requests.create({
        clusterRef,
        backupId,
        requestedBy: by,
        reason,
        choices,
        target,
        archive: { key, createdAt, sha256: summary.ciphertext.sha256 },
        checkId: check.id,
        expiresInMs: this.expireInMs,
      }),
    );
  }

  async recent(clusterRef: string): Promise<RequestedRestore[]> {
    const requests = await this.requests.recent(clusterRef, RECENT);
    return Promise.all(requests.map(request => this.shown(request)));
  }

  /** @throws ClusterBackupError `restore-request-unknown` */
  async get(id: string): Promise<RequestedRestore> {
    const request = await this.requests.get(id);
    if (request) return this.shown(request);
    throw requestUnknown(id);
  }

  /** The cluster that a request is for, where there is one. */
  async clusterRefOf(id: string): Promise<string | undefined> {
    return (await this.requests.get(id))?.clusterRef;
  }

  async approve(
    id: string,
    by: string,
    options: { reason?: string; isEmergency: boolean },
  ): Promise<RequestedRestore> {
    const request = await this.get(id);
    if (!options.isEmergency) refuseSamePerson(request, by);
    refuseOver(request, ['pending']);
    const { status } = request.check;
    if (status !== 'succeeded' && status !== 'failed') {
      throw new ClusterBackupError({
        code: 'check-unfinished',
        message: `The check that belongs to this request is ${status}: what it finds is part of what is approved.`,
        state: NOTHING_CHANGED,
        remedy:
          status === 'cancelled'
            ? 'Request the restore anew.'
            : 'Wait until it has ended, read what it found, then approve.',
        details: { operation: request.check.id },
      });
    }
    const backup = await backupOfCluster(
      this.backups,
      request.clusterRef,
      request.backupId,
    );
    const { summary } = await this.clusters.summary(backup);
    refuseOtherArchive(request, summary.ciphertext.sha256);
    return this.decide(id, { status: 'approved', by, ...options });
  }

  async reject(
    id: string,
    by: string,
    reason: string,
  ): Promise<RequestedRestore> {
    return this.decide(id, { status: 'rejected', by, reason });
  }

  async withdraw(id: string, by: string): Promise<RequestedRestore> {
    refuseOtherPerson(await this.get(id), by);
    if (await this.requests.withdraw(id)) return this.get(id);
    throw await this.closed(id);
  }

  /**
   * The request that a restore is started with, when it may be; it is used up when the restore begins.
   *
   * @throws ClusterBackupError `restore-request-unknown`, `requester-needed`, `restore-request-closed`
   */
  async approvedFor(
    id: string,
    start: { clusterRef: string; by: string },
  ): Promise<RequestedRestore> {
    const request = await this.get(id);
    if (request.clusterRef !== start.clusterRef) {
      throw requestClosed(`is for another cluster, ${request.clusterRef}`);
    }
    refuseOtherPerson(request, start.by);
    refuseOver(request, ['approved']);
    return request;
  }

  private async decide(
    id: string,
    decision: Parameters<RestoreRequestStore['decide']>[1],
  ): Promise<RequestedRestore> {
    if (await this.requests.decide(id, decision)) return this.get(id);
    throw await this.closed(id);
  }

  private async closed(id: string) {
    const { status } = await this.get(id);
    return requestClosed(`is ${status}`);
  }

  private async shown(stored: StoredRequest): Promise<RequestedRestore> {
    const { checkId, isOvertaken, ...request } = stored;
    const check = await this.operations.get(checkId);
    const isOpen = ['pending', 'approved'].includes(request.status);
    const changes = isOpen ? await this.changes(request) : [];
    if (isOvertaken) changes.push('A restore of the cluster was begun since.');
    return {
      ...request,
      ...(changes.length > 0 && { status: 'void', voidBecause: changes }),
      check: {
        id: checkId,
        status: check?.status ?? 'cancelled',
        findings: check?.findings,
        fault: check?.fault,
      },
    };
  }

  /** What of the frozen is not so any more, as far as portal and configuration know. */
  private async changes(
    request: Pick<
      RequestedRestore,
      'backupId' | 'clusterRef' | 'archive' | 'target'
    >,
  ): Promise<string[]> {
    const { backupId, clusterRef, archive, target } = request;
    const changes: string[] = [];
    const backup = await this.backups.get(backupId);
    if (!backup) changes.push('The backup is not known any more.');
    else if (backup.sha256 !== archive.sha256) {
      changes.push(OTHER_ARCHIVE);
    }
    try {
      const now = targetOf(this.clusters.access(clusterRef));
      // Both as rows have them: without members that are undefined.
      if (!isDeepStrictEqual(JSON.parse(JSON.stringify(now)), target)) {
        changes.push('The cluster is configured otherwise than it was.');
      }
    } catch (error) {
      const fault = foreseen(error);
      if (!fault) throw error;
      changes.push(fault.message);
    }
    return changes;
  }
}

/**
 * Refuses an archive that is another one than was asked for.
 *
 * @throws ClusterBackupError `restore-request-void`
 */
export function refuseOtherArchive(
  { archive }: Pick<RequestedRestore, 'archive'>,
  sha256: string,
) {
  if (sha256 !== archive.sha256) throw isVoid([OTHER_ARCHIVE]);
}

export function requestUnknown(id: string): ClusterBackupError {
  return new ClusterBackupError({
    code: 'restore-request-unknown',
    message: `There is no request for a restore ${id}.`,
    state: NOTHING_CHANGED,
    remedy: 'Look for it on the page of its cluster.',
  });
}

function refuseOver(
  { status, voidBecause = [] }: RequestedRestore,
  wanted: RequestedRestore['status'][],
) {
  if (status === 'void') throw isVoid(voidBecause);
  if (!wanted.includes(status)) throw requestClosed(`is ${status}`);
}

function isVoid(because: string[]) {
  return new ClusterBackupError({
    code: 'restore-request-void',
    message: `The request for this restore is void. ${because.join(' ')}`,
    state: NOTHING_CHANGED,
    remedy: 'Request the restore anew, as things are now.',
    details: { because },
  });
}
