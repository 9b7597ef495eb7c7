import { Encrypter } from 'age-encryption';
import {
  ApprovedRestoreStart,
  Backup,
  BackupChoices,
  BackupPage,
  ChosenSecret,
  ClusterAssessment,
  ClusterBackupApi,
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
  OperationEvent,
  OperationEvents,
  OperationKind,
  PutBackResult,
  RecipientChallenge,
  RecipientProof,
  RequestedRestore,
  RestoreRequest,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { aRestoreRequest } from './aRestoreRequest';

const DECIDED = {
  by: 'user:default/bob',
  at: '2026-11-22T11:00:00.000Z',
  isEmergency: false,
};

type Told = Pick<OperationEvent, 'type' | 'message'> & Partial<OperationEvent>;

/** What the portal knows, without a portal. */
export class InMemoryClusterBackup implements ClusterBackupApi {
  /** What every call is refused with; the portal is silent with a TypeError, as fetch throws. */
  refusal?: Error;
  /** Stores that take no hold, and why. */
  holdFailures: KeptBackup['failed'] = [];
  /** What a restore does to user clusters. */
  managed: ManagedClusters = { clusters: [] };
  /** What is not as it is in any backup. */
  differing: DifferingObject[] = [];
  putBack: PutBackResult = { created: [], updated: [], same: [], failed: [] };
  /** How a cluster stands before a restore. */
  assessment: ClusterAssessment = {
    advice: 'nothing-to-restore',
    message: 'The API server of cp-1 answers and etcd has a quorum.',
    remedy: 'Put back single objects.',
  };
  /** What restores kept, by cluster. */
  readonly kept = new Map<string, KeptDataReport>();
  /** What to do without the portal. */
  runbook = '# Runbook of production\n';
  /** How long backups are kept. */
  retention: ClusterRetention = {
    rule: {
      ...{ last: 0, daily: 7, weekly: 5, monthly: 0, withinDays: 0 },
      ...{ timeZone: 'UTC', expireAfterDays: 365, keepReplacedDays: 7 },
    },
    backups: [],
    foundCount: 0,
  };
  /** What was asked beyond reading. */
  readonly asked: { what: string; with?: object }[] = [];

  private readonly overviews = new Map<
    string,
    Omit<ClusterOverview, 'lastBackup' | 'current' | 'recent' | 'protection'> &
      Partial<Pick<ClusterOverview, 'protection'>>
  >();
  private readonly operations: Operation[] = [];
  private readonly events = new Map<string, OperationEvent[]>();
  private backups: Backup[] = [];
  private header = new Uint8Array();

  addCluster(
    clusterRef: string,
    options: Partial<ClusterOverview> & { backups?: Backup[] } = {},
  ): void {
    const { backups = [], ...overview } = options;
    this.overviews.set(clusterRef, {
      clusterRef,
      name: clusterRef.split('/')[1],
      stores: ['local'],
      expireAfterDays: 365,
      recipients: [],
      runsPortal: false,
      ownership: { owners: ['group:default/platform'], isPinned: false },
      needsSecondPerson: false,
      restoreRequests: [],
      allowed: {
        create: { allowed: true },
        restore: { allowed: true },
        approve: { allowed: true },
        approveAlone: { allowed: false },
        manage: { allowed: true },
        reveal: { allowed: true },
      },
      ...overview,
    });
    this.backups.push(...backups);
  }

  addBackup(backup: Backup): void {
    this.backups.unshift(backup);
  }

  addRequest(request: Partial<RequestedRestore>): RequestedRestore {
    const { clusterRef = 'resource:default/production' } = request;
    const overview = this.overviews.get(clusterRef)!;
    const added = aRestoreRequest({
      id: `request-${overview.restoreRequests.length + 1}`,
      clusterRef,
      ...request,
    });
    overview.restoreRequests = [added, ...overview.restoreRequests];
    return added;
  }

  setHeader(header: Uint8Array): void {
    this.header = header;
  }

  addOperation(operation: Partial<Operation>, ...events: Told[]): Operation {
    const added: Operation = {
      id: `operation-${this.operations.length + 1}`,
      kind: 'backup',
      status: 'running',
      clusterRef: 'resource:default/production',
      requestedBy: 'user:default/ada',
      requestedAt: new Date().toISOString(),
      attempt: 1,
      cancelRequested: false,
      ...operation,
    };
    this.operations.unshift(added);
    this.tell(added.id, {}, ...events);
    return added;
  }

  /** Something happens to an operation. */
  tell(id: string, change: Partial<Operation>, ...events: Told[]): Operation {
    const index = this.operations.findIndex(operation => operation.id === id);
    this.operations[index] = { ...this.operations[index], ...change };
    const log = this.events.get(id) ?? [];
    const at = new Date().toISOString();
    this.events.set(id, [
      ...log,
      ...events.map((event, i) => ({
        at,
        ...event,
        cursor: log.length + i + 1,
      })),
    ]);
    return this.operations[index];
  }

  async getCluster(clusterRef: string): Promise<ClusterOverview> {
    this.answer();
    const overview = this.overviews.get(clusterRef);
    if (!overview) {
      throw new Error(`No entity ${clusterRef}`);
    }
    const recent = this.operations.filter(o => o.clusterRef === clusterRef);
    const lastBackup = this.backups.find(
      b => b.clusterRef === clusterRef && !b.isBeforeRestore,
    );
    const level = lastBackup ? 'protected' : 'unprotected';
    return {
      protection: { level, reasons: [] },
      ...overview,
      recent,
      current: recent.find(({ status }) =>
        ['queued', 'running', 'interrupted'].includes(status),
      ),
      lastBackup,
    };
  }

  async getBackups(
    clusterRef: string,
    options: { next?: string; limit?: number } = {},
  ): Promise<BackupPage> {
    this.answer();
    const { next = '0', limit = 10 } = options;
    const all = this.backups.filter(b => b.clusterRef === clusterRef);
    const end = Number(next) + limit;
    return {
      backups: all.slice(Number(next), end),
      next: end < all.length ? String(end) : undefined,
    };
  }

  async getBackup(id: string): Promise<Backup> {
    this.answer();
    return this.backups.find(backup => backup.id === id)!;
  }

  async downloadArchive(): Promise<Blob> {
    this.answer();
    return new Blob(['age-encryption.org/v1']);
  }

  async getCustody(id: string): Promise<CustodyEntry[]> {
    this.answer();
    const { createdAt, requestedBy, hold, copies } = await this.getBackup(id);
    return [
      ...(hold
        ? [
            {
              at: hold.at,
              event: 'held',
              by: hold.by,
              why: hold.reason,
            } as const,
          ]
        : []),
      ...copies.flatMap(({ store, verifiedAt }) =>
        verifiedAt
          ? [{ at: verifiedAt, event: 'verified', store } as const]
          : [],
      ),
      { at: createdAt, event: 'created', by: requestedBy },
    ];
  }

  async getBackupHeader(): Promise<Uint8Array> {
    this.answer();
    return this.header;
  }

  async getRunbook(): Promise<string> {
    this.answer();
    return this.runbook;
  }

  async getRetention(): Promise<ClusterRetention> {
    this.answer();
    return this.retention;
  }

  async acceptFoundBackups(clusterRef: string): Promise<ClusterRetention> {
    this.answer();
    this.asked.push({ what: 'accept found', with: { clusterRef } });
    this.retention = { ...this.retention, foundCount: 0 };
    return this.retention;
  }

  async mintKubeconfig(): Promise<MintedKubeconfig> {
    return {
      kubeconfig: 'kind: Config\n',
      server: 'https://10.0.0.10:6443',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    };
  }

  async startCheck(clusterRef: string): Promise<Operation> {
    return this.start('check', { clusterRef });
  }

  async getManagedClusters(): Promise<ManagedClusters> {
    this.answer();
    return this.managed;
  }

  async compareObjects(id: string, options: { fileKey?: string }) {
    this.answer();
    this.asked.push({ what: 'compare', with: { id, ...options } });
    return { differing: this.differing };
  }

  async putBackObjects(
    id: string,
    options: { fileKey?: string; secrets: ChosenSecret[]; missing: boolean },
  ): Promise<PutBackResult> {
    this.answer();
    this.asked.push({ what: 'put-back', with: { id, ...options } });
    return this.putBack;
  }

  async getAssessment(): Promise<ClusterAssessment> {
    this.answer();
    return this.assessment;
  }

  async getKeptData(clusterRef: string): Promise<KeptDataReport> {
    this.answer();
    const none = { kept: [], unread: [], keepReplacedDays: 7 };
    return this.kept.get(clusterRef) ?? none;
  }

  async acceptRestore(
    clusterRef: string,
    operation: string,
  ): Promise<KeptDataReport> {
    this.answer();
    this.asked.push({ what: 'accept', with: { clusterRef, operation } });
    const before = await this.getKeptData(clusterRef);
    const kept = before.kept.filter(data => data.operation !== operation);
    this.kept.set(clusterRef, { ...before, kept });
    return { ...before, kept };
  }

  async startBackup(
    clusterRef: string,
    choices?: BackupChoices,
  ): Promise<Operation> {
    return this.start('backup', { clusterRef, ...choices });
  }

  async startRestore(
    clusterRef: string,
    options: RestoreRequest | ApprovedRestoreStart,
  ): Promise<Operation> {
    return this.start('restore', { clusterRef, ...options });
  }

  async requestRestore(
    clusterRef: string,
    options: NewRestoreRequest,
  ): Promise<RequestedRestore> {
    this.answer('request', { clusterRef, ...options });
    return this.addRequest({ clusterRef, ...options });
  }

  async getRequestedRestore(id: string): Promise<RequestedRestore> {
    this.answer();
    return this.changeRequest(id, {});
  }

  async approveRestore(
    id: string,
    options: { reason?: string; emergency?: boolean },
  ): Promise<RequestedRestore> {
    this.answer('approve', { id, ...options });
    const { reason, emergency: isEmergency = false } = options;
    const decision = { ...DECIDED, reason, isEmergency };
    return this.changeRequest(id, { status: 'approved', decision });
  }

  async rejectRestore(
    id: string,
    options: { reason: string },
  ): Promise<RequestedRestore> {
    this.answer('reject', { id, ...options });
    const decision = { ...DECIDED, ...options };
    return this.changeRequest(id, { status: 'rejected', decision });
  }

  async withdrawRestore(id: string): Promise<RequestedRestore> {
    this.answer('withdraw', { id });
    return this.changeRequest(id, { status: 'withdrawn' });
  }

  async verifyBackup(id: string): Promise<Operation> {
    const { clusterRef } = await this.getBackup(id);
    return this.start('verify', { clusterRef, backupId: id });
  }

  async holdBackup(
    id: string,
    options: { reason: string },
  ): Promise<KeptBackup> {
    this.answer('hold', { id, ...options });
    const hold = {
      by: 'user:default/ada',
      at: new Date().toISOString(),
      reason: options.reason,
    };
    return { backup: this.change(id, { hold }), failed: this.holdFailures };
  }

  async releaseBackup(id: string): Promise<Backup> {
    this.answer('release', { id });
    return this.change(id, { hold: undefined });
  }

  /** Seals for real: what is tested is that a browser opens it. */
  async challengeRecipient(
    clusterRef: string,
    recipient: string,
  ): Promise<RecipientChallenge> {
    this.answer('challenge', { clusterRef, recipient });
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const sealed = await encrypter.encrypt('the answer');
    return {
      recipient,
      expiresAt: '2026-11-22T12:00:00.000Z',
      sealed: btoa(String.fromCharCode(...sealed)),
    };
  }

  async proveRecipient(
    clusterRef: string,
    options: { recipient: string; expiresAt: string; answer: string },
  ): Promise<RecipientProof> {
    this.answer('prove', { clusterRef, ...options });
    const { recipient } = options;
    const proof = { recipient, isProven: true };
    const overview = this.overviews.get(clusterRef)!;
    overview.recipients = overview.recipients.map(each =>
      each.recipient === recipient ? proof : each,
    );
    return proof;
  }

  async getOperation(id: string): Promise<Operation> {
    this.answer();
    return this.operations.find(operation => operation.id === id)!;
  }

  async getOperationEvents(
    id: string,
    after: number,
  ): Promise<OperationEvents> {
    this.answer();
    const events = this.events.get(id)!;
    return {
      operation: await this.getOperation(id),
      events: events.slice(after),
      cursor: events.length,
    };
  }

  async cancelOperation(id: string): Promise<Operation> {
    this.answer('cancel', { id });
    return this.tell(id, { cancelRequested: true });
  }

  async resumeRestore(
    id: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    this.answer('resume', { id, ...options });
    return this.tell(id, { status: 'running', attempt: 2 });
  }

  async undoRestore(
    id: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    this.answer('undo', { id, ...options });
    return this.tell(id, { status: 'running', undoing: true });
  }

  private change(id: string, change: Partial<Backup>): Backup {
    const index = this.backups.findIndex(backup => backup.id === id);
    this.backups[index] = { ...this.backups[index], ...change };
    return this.backups[index];
  }

  private changeRequest(
    id: string,
    change: Partial<RequestedRestore>,
  ): RequestedRestore {
    const overview = [...this.overviews.values()].find(({ restoreRequests }) =>
      restoreRequests.some(each => each.id === id),
    )!;
    overview.restoreRequests = overview.restoreRequests.map(each =>
      each.id === id ? { ...each, ...change } : each,
    );
    return overview.restoreRequests.find(each => each.id === id)!;
  }

  private start(
    kind: OperationKind,
    options: { clusterRef: string; backupId?: string },
  ): Operation {
    this.answer(kind, options);
    const { clusterRef, backupId } = options;
    return this.addOperation({ kind, clusterRef, backupId, status: 'queued' });
  }

  private answer(what?: string, options?: object): void {
    if (this.refusal) {
      throw this.refusal;
    }
    if (what) {
      this.asked.push({ what, with: options });
    }
  }
}
