import { randomUUID } from 'node:crypto';
import {
  RequestedRestore,
  RequestedRestoreStatus,
  RestoreChoices,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Knex } from 'knex';
import { after, isoTime, now } from './databaseClock';

interface RequestRow {
  id: string;
  cluster_ref: string;
  backup_id: string;
  status: RequestedRestoreStatus;
  requested_by: string;
  requested_at: number | string;
  expires_at: number | string;
  reason: string;
  choices: string;
  frozen: string;
  check_id: string;
  decided_by: string | null;
  decided_at: number | string | null;
  decision_reason: string | null;
  is_emergency: boolean | number;
  operation_id: string | null;
}

type Frozen = Pick<RequestedRestore, 'archive' | 'target'>;

/** A request as its row has it; whether what it froze is still so others find out. */
export interface StoredRequest
  extends Omit<RequestedRestore, 'check' | 'voidBecause'> {
  checkId: string;
  /** A restore of the cluster was begun since. */
  isOvertaken: boolean;
}

/** What was asked of second persons, and what they said. All replicas work on it at once. */
export class RestoreRequestStore {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  async create(
    request: Frozen & {
      clusterRef: string;
      backupId: string;
      requestedBy: string;
      expiresInMs: number;
      reason: string;
      choices: RestoreChoices;
      checkId: string;
    },
  ): Promise<StoredRequest> {
    const { archive, target } = request;
    const id = randomUUID();
    await this.knex('restore_requests').insert({
      id,
      cluster_ref: request.clusterRef,
      backup_id: request.backupId,
      status: 'pending',
      requested_by: request.requestedBy,
      requested_at: now(this.knex),
      expires_at: after(this.knex, request.expiresInMs),
      reason: request.reason,
      choices: JSON.stringify(request.choices),
      frozen: JSON.stringify({ archive, target }),
      check_id: request.checkId,
      is_emergency: false,
    });
    return (await this.get(id))!;
  }

  async get(id: string): Promise<StoredRequest | undefined> {
    const row = await this.rows().where({ id }).first();
    return row && requestOf(row);
  }

  /** Newest first. */
  async recent(clusterRef: string, limit: number): Promise<StoredRequest[]> {
    const rows = await this.rows()
      .where({ cluster_ref: clusterRef })
      .orderBy('number', 'desc')
      .limit(limit);
    return rows.map(requestOf);
  }

  /** What a second person says of a request that waits for it; false when it does not any more. */
  async decide(
    id: string,
    decision: {
      status: 'approved' | 'rejected';
      by: string;
      reason?: string;
      isEmergency?: boolean;
    },
  ): Promise<boolean> {
    const { status, by, reason, isEmergency = false } = decision;
    const decided = await this.knex('restore_requests')
      .where({ id, status: 'pending' })
      .andWhere('expires_at', '>', now(this.knex))
      .update({
        status,
        decided_by: by,
        decided_at: now(this.knex),
        decision_reason: reason ?? null,
        is_emergency: isEmergency,
      });
    return decided > 0;
  }

  /** False when it was used up, or somebody said no. */
  async withdraw(id: string): Promise<boolean> {
    const withdrawn = await this.knex('restore_requests')
      .where({ id })
      .whereIn('status', ['pending', 'approved'])
      .update({ status: 'withdrawn' });
    return withdrawn > 0;
  }

  private rows(): Knex.QueryBuilder<RequestRow, any> {
    return this.knex('restore_requests').select('*', {
      is_expired: this.knex.raw('(expires_at <= ?)', [now(this.knex)]),
      is_overtaken: this.knex.raw('(exists ?)', [restoresSince(this.knex)]),
    });
  }
}

/**
 * Uses an approval up, in the transaction that begins its restore: both are, or neither is.
 *
 * @throws ClusterBackupError `restore-request-closed`
 */
export async function useRequest(
  trx: Knex,
  id: string,
  operationId: string,
): Promise<void> {
  const used = await trx('restore_requests')
    .where({ id, status: 'approved' })
    .andWhere('expires_at', '>', now(trx))
    .whereNotExists(
      restoresSince(trx).andWhereNot({ 'operations.id': operationId }),
    )
    .update({ status: 'started', operation_id: operationId });
  if (!used) throw requestClosed('was used, taken back, or is over');
}

/** What is told of a request that nothing can be done with any more. */
export function requestClosed(why: string): ClusterBackupError {
  return new ClusterBackupError({
    code: 'restore-request-closed',
    message: `The request for this restore ${why}.`,
    state: NOTHING_CHANGED,
    remedy: 'Request the restore anew, where it is still wanted.',
  });
}

/** Restores that were begun after a request was made, other than its own. */
function restoresSince(knex: Knex): Knex.QueryBuilder {
  return knex('operations')
    .select(knex.raw('1'))
    .whereRaw('operations.cluster_ref = restore_requests.cluster_ref')
    .whereRaw('operations.requested_at >= restore_requests.requested_at')
    .where('operations.kind', 'restore')
    .andWhere(other =>
      other
        .whereRaw('restore_requests.operation_id is null')
        .orWhereRaw('operations.id <> restore_requests.operation_id'),
    );
}

function requestOf(
  row: RequestRow & {
    is_expired: boolean | number;
    is_overtaken: boolean | number;
  },
): StoredRequest {
  const { archive, target } = JSON.parse(row.frozen) as Frozen;
  const isOpen = row.status === 'pending' || row.status === 'approved';
  return {
    ...(JSON.parse(row.choices) as RestoreChoices),
    id: row.id,
    clusterRef: row.cluster_ref,
    backupId: row.backup_id,
    status: isOpen && row.is_expired ? 'expired' : row.status,
    requestedBy: row.requested_by,
    requestedAt: isoTime(row.requested_at),
    expiresAt: isoTime(row.expires_at),
    reason: row.reason,
    archive,
    target,
    checkId: row.check_id,
    isOvertaken: isOpen && Boolean(row.is_overtaken),
    decision:
      row.decided_by === null || row.decided_at === null
        ? undefined
        : {
            by: row.decided_by,
            at: isoTime(row.decided_at),
            reason: row.decision_reason ?? undefined,
            isEmergency: Boolean(row.is_emergency),
          },
    operationId: row.operation_id ?? undefined,
  };
}
