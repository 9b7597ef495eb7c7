import { parseEntityRef } from '@backstage/catalog-model';
import { ResponseError } from '@backstage/errors';
import { ClusterBackupApi } from './ClusterBackupApi';
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
 * Speaks to the backend of this plugin.
 *
 * @public
 */
export class ClusterBackupClient implements ClusterBackupApi {
  private readonly discoveryApi: {
    getBaseUrl(pluginId: string): Promise<string>;
  };
  private readonly fetchApi: { fetch: typeof fetch };

  constructor(options: {
    discoveryApi: { getBaseUrl(pluginId: string): Promise<string> };
    fetchApi: { fetch: typeof fetch };
  }) {
    this.discoveryApi = options.discoveryApi;
    this.fetchApi = options.fetchApi;
  }

  async getCluster(clusterRef: string): Promise<ClusterOverview> {
    return this.json('GET', pathOf(clusterRef));
  }

  async getBackups(
    clusterRef: string,
    options: { next?: string; limit?: number } = {},
  ): Promise<BackupPage> {
    const query = new URLSearchParams();
    if (options.next !== undefined) query.set('next', options.next);
    if (options.limit !== undefined) query.set('limit', String(options.limit));
    return this.json('GET', `${pathOf(clusterRef)}/backups?${query}`);
  }

  async getBackup(id: string): Promise<Backup> {
    return this.json('GET', `/backups/${encodeURIComponent(id)}`);
  }

  async getBackupHeader(id: string): Promise<Uint8Array> {
    const response = await this.call(
      'GET',
      `/backups/${encodeURIComponent(id)}/header`,
    );
    return new Uint8Array(await response.arrayBuffer());
  }

  async getRunbook(clusterRef: string): Promise<string> {
    const response = await this.call('GET', `${pathOf(clusterRef)}/runbook`);
    return response.text();
  }

  async getRetention(clusterRef: string): Promise<ClusterRetention> {
    return this.json('GET', `${pathOf(clusterRef)}/retention`);
  }

  async acceptFoundBackups(clusterRef: string): Promise<ClusterRetention> {
    return this.json('POST', `${pathOf(clusterRef)}/retention/acceptances`, {});
  }

  async downloadArchive(id: string): Promise<Blob> {
    const response = await this.call(
      'GET',
      `/backups/${encodeURIComponent(id)}/archive`,
    );
    return response.blob();
  }

  async getCustody(id: string): Promise<CustodyEntry[]> {
    return this.json('GET', `/backups/${encodeURIComponent(id)}/custody`);
  }

  async getManagedClusters(id: string): Promise<ManagedClusters> {
    return this.json(
      'GET',
      `/backups/${encodeURIComponent(id)}/managed-clusters`,
    );
  }

  async getAssessment(clusterRef: string): Promise<ClusterAssessment> {
    return this.json('GET', `${pathOf(clusterRef)}/assessment`);
  }

  async getKeptData(clusterRef: string): Promise<KeptDataReport> {
    return this.json('GET', `${pathOf(clusterRef)}/kept-data`);
  }

  async acceptRestore(
    clusterRef: string,
    operation: string,
  ): Promise<KeptDataReport> {
    const restore = encodeURIComponent(operation);
    return this.json('DELETE', `${pathOf(clusterRef)}/kept-data/${restore}`);
  }

  async mintKubeconfig(clusterRef: string): Promise<MintedKubeconfig> {
    return this.json('POST', `${pathOf(clusterRef)}/kubeconfigs`, {});
  }

  async startCheck(clusterRef: string): Promise<Operation> {
    return this.json('POST', `${pathOf(clusterRef)}/checks`, {});
  }

  async startBackup(
    clusterRef: string,
    choices: BackupChoices = {},
  ): Promise<Operation> {
    return this.json('POST', `${pathOf(clusterRef)}/backups`, choices);
  }

  async startRestore(
    clusterRef: string,
    request: RestoreRequest | ApprovedRestoreStart,
  ): Promise<Operation> {
    return this.json('POST', `${pathOf(clusterRef)}/restores`, request);
  }

  async requestRestore(
    clusterRef: string,
    request: NewRestoreRequest,
  ): Promise<RequestedRestore> {
    return this.json('POST', `${pathOf(clusterRef)}/restore-requests`, request);
  }

  async getRequestedRestore(id: string): Promise<RequestedRestore> {
    return this.json('GET', `/restore-requests/${encodeURIComponent(id)}`);
  }

  async approveRestore(
    id: string,
    options: { reason?: string; emergency?: boolean },
  ): Promise<RequestedRestore> {
    return this.decide(id, 'approve', options);
  }

  async rejectRestore(
    id: string,
    options: { reason: string },
  ): Promise<RequestedRestore> {
    return this.decide(id, 'reject', options);
  }

  async withdrawRestore(id: string): Promise<RequestedRestore> {
    return this.decide(id, 'withdraw', {});
  }

  private async decide(
    id: string,
    what: 'approve' | 'reject' | 'withdraw',
    options: object,
  ): Promise<RequestedRestore> {
    const path = `/restore-requests/${encodeURIComponent(id)}/${what}`;
    return this.json('POST', path, options);
  }

  async verifyBackup(id: string): Promise<Operation> {
    return this.json(
      'POST',
      `/backups/${encodeURIComponent(id)}/verifications`,
      {},
    );
  }

  async compareObjects(
    id: string,
    options: { fileKey?: string },
  ): Promise<{ differing: DifferingObject[] }> {
    const path = `/backups/${encodeURIComponent(id)}/object-comparisons`;
    return this.json('POST', path, options);
  }

  async putBackObjects(
    id: string,
    options: { fileKey?: string; secrets: ChosenSecret[]; missing: boolean },
  ): Promise<PutBackResult> {
    const path = `/backups/${encodeURIComponent(id)}/put-backs`;
    return this.json('POST', path, options);
  }

  async holdBackup(
    id: string,
    options: { reason: string },
  ): Promise<KeptBackup> {
    return this.json('PUT', `/backups/${encodeURIComponent(id)}/hold`, options);
  }

  async releaseBackup(id: string): Promise<Backup> {
    return this.json('DELETE', `/backups/${encodeURIComponent(id)}/hold`);
  }

  async challengeRecipient(
    clusterRef: string,
    recipient: string,
  ): Promise<RecipientChallenge> {
    const path = `${pathOf(clusterRef)}/recipient-challenges`;
    return this.json('POST', path, { recipient });
  }

  async proveRecipient(
    clusterRef: string,
    options: { recipient: string; expiresAt: string; answer: string },
  ): Promise<RecipientProof> {
    const path = `${pathOf(clusterRef)}/recipient-proofs`;
    return this.json('POST', path, options);
  }

  async getOperation(id: string): Promise<Operation> {
    return this.json('GET', `/operations/${encodeURIComponent(id)}`);
  }

  async getOperationEvents(
    id: string,
    after: number,
  ): Promise<OperationEvents> {
    return this.json(
      'GET',
      `/operations/${encodeURIComponent(id)}/events?after=${after}`,
    );
  }

  async cancelOperation(id: string): Promise<Operation> {
    return this.json(
      'POST',
      `/operations/${encodeURIComponent(id)}/cancel`,
      {},
    );
  }

  async resumeRestore(
    id: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    return this.json(
      'POST',
      `/operations/${encodeURIComponent(id)}/resume`,
      options,
    );
  }

  async undoRestore(
    id: string,
    options: { fileKey?: string },
  ): Promise<Operation> {
    return this.json(
      'POST',
      `/operations/${encodeURIComponent(id)}/undo`,
      options,
    );
  }

  private async json<T>(
    method: string,
    path: string,
    body?: object,
  ): Promise<T> {
    return (await this.call(method, path, body)).json();
  }

  private async call(
    method: string,
    path: string,
    body?: object,
  ): Promise<Response> {
    const base = await this.discoveryApi.getBaseUrl('cluster-backup');
    const response = await this.fetchApi.fetch(`${base}${path}`, {
      method,
      ...(body && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    if (!response.ok) {
      throw await ResponseError.fromResponse(response);
    }
    return response;
  }
}

function pathOf(clusterRef: string): string {
  const { kind, namespace, name } = parseEntityRef(clusterRef);
  return `/clusters/by-entity/${[kind, namespace, name]
    .map(encodeURIComponent)
    .join('/')}`;
}
