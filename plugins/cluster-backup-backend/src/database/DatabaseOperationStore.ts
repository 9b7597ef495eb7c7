import { randomUUID } from 'node:crypto';
import { isDatabaseConflictError } from '@backstage/backend-plugin-api';
import {
  Operation,
  OperationKind,
  RestoreDecision,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { endedByJournals } from '../operations/endingOf';
import { FoundCopy, RememberedRestore } from '../operations/Job';
import { recorded } from '../operations/recorded';
import { insertBackup, recordCopies } from './DatabaseBackupRecordStore';
import { dueAgain } from './ClusterSchedules';
import { recordCustody } from './custody';
import { after, ago, isPostgres, now } from './databaseClock';
import {
  appendEvents,
  BY_ITSELF,
  EventRow,
  eventOf,
  insertOperation,
  operationOf,
  OperationRow,
  queueOperation,
} from './operationRows';
import {
  Claim,
  Ending,
  Lease,
  LeaseLostError,
  NewBackup,
  NewEvent,
  NewOperation,
  OperationStore,
  Standing,
} from './OperationStore';
import { refuseRemoved } from './RetentionRecords';
import { useRequest } from './RestoreRequestStore';

/** Renewed at a third of it. */
export const LEASE_MS = 30_000;
const EVENTS_AT_ONCE = 1000;
const REMEMBERED =
  'Found in the journals on the machines: this portal did not know of it.';
/** The machines were not told. */
const UNKNOWN = 'unknown';
/** Names the lock that claims are made under: the first bytes of `cluster-backup` as a number. */
const CLAIMING = 0x636c7573;
/** They change nothing on a cluster, and need not wait for what does. */
const LOOKS: OperationKind[] = ['check', 'verify'];

/** Keeps operations in the plugin's database, which all replicas share. */
export class DatabaseOperationStore implements OperationStore {
  private readonly knex: Knex;
  private readonly leaseMs: number;

  constructor(knex: Knex, options: { leaseMs?: number } = {}) {
    this.knex = knex;
    this.leaseMs = options.leaseMs ?? LEASE_MS;
  }

  async queue(options: NewOperation): Promise<Operation> {
    return this.knex.transaction(async trx => {
      const message = `Asked for by ${options.requestedBy}`;
      const id = await queueOperation(trx, { ...options, message });
      return operationOf((await this.row(trx, id))!);
    });
  }

  async waiting(kind: NewOperation['kind']): Promise<number> {
    const [{ times }] = await this.knex('operations')
      .where({ status: 'queued', kind })
      .count({ times: '*' });
    return Number(times);
  }

  async claim(workerId: string): Promise<Claim | undefined> {
    return this.unlessBusy(trx => this.claimIn(trx, workerId));
  }

  private async claimIn(
    trx: Knex.Transaction,
    workerId: string,
  ): Promise<Claim | undefined> {
    // Who claims counts what all others run: one after the other, until the transaction ends.
    if (isPostgres(trx)) {
      await trx.raw('select pg_advisory_xact_lock(?)', [CLAIMING]);
    }
    const running = trx('operation_slots as slots')
      .join('operations', 'operations.id', 'slots.operation_id')
      .where('operations.status', 'running')
      .groupBy('slots.resource')
      .select('slots.resource', trx.raw('count(*) as times'))
      .as('taken');
    const found = await trx<OperationRow>('operations')
      .select('id', 'attempt', 'kind')
      .where({ status: 'queued' })
      .andWhere(free =>
        free
          .whereIn('kind', LOOKS)
          .orWhereNotExists(
            trx('operations as busy')
              .select(trx.raw('1'))
              .whereRaw('busy.cluster_ref = operations.cluster_ref')
              .whereIn('busy.kind', ['backup', 'restore'])
              .whereIn('busy.status', ['running', 'interrupted']),
          ),
      )
      .whereNotExists(
        trx('operation_slots as wanted')
          .select(trx.raw('1'))
          .join(running, 'taken.resource', 'wanted.resource')
          .whereRaw('wanted.operation_id = operations.id')
          .whereRaw('taken.times >= wanted.at_most'),
      )
      .orderByRaw(
        `case when requested_by <> ? then 0 when kind = 'backup' then 1 else 2 end`,
        [BY_ITSELF],
      )
      .orderBy('number')
      .first();
    if (!found) return undefined;
    const lease = { id: found.id, workerId, attempt: found.attempt + 1 };
    const taken = await trx<OperationRow>('operations')
      .where({ id: found.id, status: 'queued', attempt: found.attempt })
      .update({
        status: 'running',
        started_at: now(trx),
        ...this.leasedTo(trx, lease),
      });
    if (!taken) return undefined;
    await appendEvents(trx, lease.id, [
      {
        type: 'status',
        message: lease.attempt === 1 ? 'Started' : 'Started again',
      },
    ]);
    return this.claimed(trx, lease);
  }

  async beginRestore(options: {
    clusterRef: string;
    requestedBy: string;
    backupId: string;
    workerId: string;
    decision?: RestoreDecision;
    requestId?: string;
  }): Promise<Claim | undefined> {
    const { clusterRef, requestedBy, backupId, workerId } = options;
    const { decision, requestId } = options;
    return this.unlessBusy(async trx => {
      await refuseRemoved(trx, backupId);
      const id = await insertOperation(trx, {
        kind: 'restore',
        status: 'running',
        cluster_ref: clusterRef,
        requested_by: requestedBy,
        backup_id: backupId,
        decision: decision ? JSON.stringify(decision) : null,
        attempt: 1,
      });
      if (requestId !== undefined) await useRequest(trx, requestId, id);
      await recordCustody(trx, {
        backupId,
        event: 'restoring',
        by: requestedBy,
        why: decision?.reason,
        operationId: id,
      });
      const lease = { id, workerId, attempt: 1 };
      await trx<OperationRow>('operations')
        .where({ id })
        .update({ started_at: now(trx), ...this.leasedTo(trx, lease) });
      await appendEvents(trx, id, [
        { type: 'status', message: `Started by ${requestedBy}` },
      ]);
      return this.claimed(trx, lease);
    });
  }

  async takeUpRestore(options: {
    id: string;
    workerId: string;
    requestedBy: string;
    undoing: boolean;
  }): Promise<Claim | undefined> {
    const { id, workerId, requestedBy, undoing } = options;
    return this.knex.transaction(async trx => {
      const row = await this.row(trx, id);
      if (!row) return undefined;
      const lease = { id, workerId, attempt: row.attempt + 1 };
      const taken = await trx<OperationRow>('operations')
        .where({ id, status: 'interrupted', attempt: row.attempt })
        .update({
          status: 'running',
          undoing,
          cancel_requested: false,
          fault: null,
          ...this.leasedTo(trx, lease),
        });
      if (!taken) return undefined;
      const what = undoing ? 'Undo' : 'Resume';
      await appendEvents(trx, id, [
        { type: 'status', message: `${what} started by ${requestedBy}` },
      ]);
      return this.claimed(trx, lease);
    });
  }

  async renew(lease: Lease): Promise<void> {
    await this.fenced(this.knex, lease, {
      lease_expires_at: after(this.knex, this.leaseMs),
    });
  }

  async tell(
    lease: Lease,
    standing: Standing,
    events: NewEvent[],
  ): Promise<void> {
    const { step, bytes } = standing;
    const change: Changes = {
      ...(step && { step_name: step.name, step_title: step.title }),
      bytes: bytes ? JSON.stringify(bytes) : null,
    };
    await this.knex.transaction(async trx => {
      // The row's lock lets events become visible in the order of their ids.
      await this.fenced(trx, lease, change);
      await appendEvents(trx, lease.id, events);
    });
  }

  async recordSafetyBackup(
    operationId: string,
    backup: NewBackup,
    copies: FoundCopy[],
  ): Promise<void> {
    await this.knex.transaction(async trx => {
      const id = randomUUID();
      await this.insertBackup(trx, operationId, { ...backup, id });
      await recordCopies(trx, id, copies);
    });
  }

  private async insertBackup(
    trx: Knex,
    operationId: string,
    backup: NewBackup & { id: string },
  ) {
    const row = (await this.row(trx, operationId))!;
    await insertBackup(trx, {
      ...backup,
      operationId,
      clusterRef: row.cluster_ref,
      requestedBy: row.requested_by,
    });
  }

  async end(lease: Lease, ending: Ending): Promise<void> {
    await this.knex.transaction(async trx => {
      const backupId = ending.backup && randomUUID();
      await this.fenced(trx, lease, {
        ...endedAs(trx, ending),
        ...(backupId && { backup_id: backupId }),
        ...(ending.outageSeconds !== undefined &&
          lease.attempt > 1 && {
            outage_seconds: await outageSince(trx, lease.id),
          }),
      });
      await appendEvents(trx, lease.id, [
        { type: 'status', message: ending.message },
      ]);
      if (ending.backup && backupId) {
        const made = { ...ending.backup, id: backupId };
        await this.insertBackup(trx, lease.id, made);
      }
      const row = (await this.row(trx, lease.id))!;
      const isThere =
        row.backup_id &&
        (await trx('backups').where({ id: row.backup_id }).first('id'));
      if (ending.copies && row.backup_id && isThere) {
        await recordCopies(trx, row.backup_id, ending.copies);
      }
      await this.recordEnd(trx, row, ending);
      if (row.due_at !== null && ending.status === 'failed') {
        await dueAgain(trx, row.cluster_ref);
      }
    });
  }

  /** What an operation found out about a backup, and that it was put back. */
  private async recordEnd(trx: Knex, row: OperationRow, ending: Ending) {
    const { id, kind, requested_by: by, backup_id: backupId } = row;
    if (!backupId) return;
    const entry = { backupId, by, operationId: id };
    if (kind === 'restore' && ending.status === 'succeeded') {
      await recordCustody(trx, { ...entry, event: 'restored' });
    }
    if (kind !== 'verify') return;
    for (const { store, state } of ending.copies ?? []) {
      if (state === 'unknown') continue;
      const event = state === 'good' ? 'verified' : state;
      await recordCustody(trx, { ...entry, event, store });
    }
  }

  async giveBack(lease: Lease, why: string): Promise<void> {
    await this.knex.transaction(async trx => {
      const row = await this.row(trx, lease.id);
      if (!row) throw new LeaseLostError(lease);
      const given = givenBack(trx, row, why);
      await this.fenced(trx, lease, given.change);
      await appendEvents(trx, lease.id, [given.event]);
    });
  }

  async giveBackExpired(why: string): Promise<Operation[]> {
    const expired = await this.knex<OperationRow>('operations')
      .where({ status: 'running' })
      .andWhere('lease_expires_at', '<', now(this.knex));
    const operations: Operation[] = [];
    for (const row of expired) {
      await this.knex.transaction(async trx => {
        const given = givenBack(trx, row, why);
        const taken = await trx<OperationRow>('operations')
          .where({ id: row.id, status: 'running', attempt: row.attempt })
          .andWhere('lease_expires_at', '<', now(trx))
          .update(given.change);
        if (!taken) return;
        await appendEvents(trx, row.id, [given.event]);
        operations.push(operationOf((await this.row(trx, row.id))!));
      });
    }
    return operations;
  }

  async requestCancel(id: string, by: string): Promise<Operation | undefined> {
    return this.knex.transaction(async trx => {
      const queued = await trx<OperationRow>('operations')
        .where({ id, status: 'queued' })
        .update({
          status: 'cancelled',
          cancel_requested: true,
          ended_at: now(trx),
        });
      const asked =
        queued ||
        (await trx<OperationRow>('operations')
          .where({ id, status: 'running', undoing: false })
          .update({ cancel_requested: true }));
      if (!asked) return undefined;
      await appendEvents(trx, id, [
        {
          type: 'status',
          message: `${queued ? 'Cancelled' : 'Asked to cancel'} by ${by}`,
        },
      ]);
      return operationOf((await this.row(trx, id))!);
    });
  }

  async cancelRequested(workerId: string): Promise<string[]> {
    const rows = await this.knex<OperationRow>('operations')
      .select('id')
      .where({
        status: 'running',
        worker_id: workerId,
        cancel_requested: true,
      });
    return rows.map(({ id }) => id);
  }

  async interrupted(): Promise<Operation[]> {
    const rows = await this.knex<OperationRow>('operations').where({
      status: 'interrupted',
    });
    return rows.map(operationOf);
  }

  async settleDoubt(
    { id, attempt }: Operation,
    found: { onlyForward: boolean; needsArchive?: boolean } | Ending,
  ): Promise<void> {
    await this.knex.transaction(async trx => {
      const settled = await trx<OperationRow>('operations')
        .where({ id, attempt, status: 'interrupted' })
        .update(
          'status' in found
            ? endedAs(trx, found)
            : {
                only_forward: found.onlyForward,
                needs_archive: found.needsArchive ?? null,
              },
        );
      if (settled && 'status' in found) {
        await appendEvents(trx, id, [
          { type: 'status', message: found.message },
        ]);
        await this.recordEnd(trx, (await this.row(trx, id))!, found);
      }
    });
  }

  async recordRemembered(
    clusterRef: string,
    restore: RememberedRestore,
  ): Promise<boolean> {
    const { operation, origin, decision, outcome, heldUp } = restore;
    if (outcome === 'unfinished' && !heldUp) return false;
    const id = origin?.id ?? operation;
    const made = await this.unlessBusy(async trx => {
      if (await this.row(trx, id)) return false;
      const backup = await trx('backups')
        .where({ cluster_ref: clusterRef, sha256: restore.archiveSha256 ?? '' })
        .first('id');
      const begunAt = Date.parse(restore.begunAt);
      const ending: Ending =
        outcome === 'unfinished'
          ? { ...heldUp, status: 'interrupted', message: REMEMBERED }
          : { ...endedByJournals(outcome), message: REMEMBERED };
      await trx('operations').insert({
        id,
        kind: 'restore',
        cluster_ref: clusterRef,
        requested_by: origin?.by ?? decision?.reason.by ?? UNKNOWN,
        requested_at: begunAt,
        started_at: begunAt,
        attempt: 1,
        cancel_requested: false,
        undoing: false,
        backup_id: backup?.id ?? null,
        decision: decision ? JSON.stringify(recorded(decision)) : null,
        ...endedAs(trx, ending),
        ended_at: restore.endedAt ? Date.parse(restore.endedAt) : null,
      });
      await appendEvents(trx, id, [{ type: 'status', message: REMEMBERED }]);
      await this.recordEnd(trx, (await this.row(trx, id))!, ending);
      return true;
    });
    // What is busy now is asked about again.
    return made ?? false;
  }

  async unaudited(limit: number): Promise<Operation[]> {
    const rows = await this.knex<OperationRow>('operations')
      .whereNotIn('status', ['queued', 'running'])
      .where(untold =>
        untold
          .whereNull('audited_status')
          .orWhereNot('audited_status', this.knex.ref('status')),
      )
      .orderBy('number')
      .limit(limit);
    return rows.map(operationOf);
  }

  async audited({ id, status }: Operation): Promise<void> {
    await this.knex('operations')
      .where({ id })
      .update({ audited_status: status });
  }

  async get(id: string): Promise<Operation | undefined> {
    const row = await this.row(this.knex, id);
    return row && operationOf(row);
  }

  async events(id: string, cursor: number) {
    const rows = await this.knex<EventRow>('operation_events')
      .where({ operation_id: id })
      .andWhere('id', '>', cursor)
      .orderBy('id')
      .limit(EVENTS_AT_ONCE);
    const events = rows.map(eventOf);
    return { events, cursor: events.at(-1)?.cursor ?? cursor };
  }

  async wasStepDone(id: string, step: string): Promise<boolean> {
    const row = await this.knex<EventRow>('operation_events')
      .select('id')
      .where({ operation_id: id, step, type: 'step-done' })
      .first();
    return row !== undefined;
  }

  async current(clusterRef: string): Promise<Operation | undefined> {
    const rows = await this.knex<OperationRow>('operations')
      .where({ cluster_ref: clusterRef })
      .whereIn('status', ['running', 'interrupted', 'queued'])
      .whereNot({ kind: 'verify' })
      .orderBy('number');
    const first =
      rows.find(row => row.status !== 'queued' && !LOOKS.includes(row.kind)) ??
      rows.find(row => row.status === 'running') ??
      rows[0];
    return first && operationOf(first);
  }

  async recent(clusterRef: string, limit: number): Promise<Operation[]> {
    const rows = await this.knex<OperationRow>('operations')
      .where({ cluster_ref: clusterRef })
      .orderBy('number', 'desc')
      .limit(limit);
    return rows.map(operationOf);
  }

  async lastCheck(clusterRef: string): Promise<Operation | undefined> {
    const row = await this.knex<OperationRow>('operations')
      .where({ cluster_ref: clusterRef, kind: 'check' })
      .whereIn('status', ['succeeded', 'failed'])
      .orderBy('number', 'desc')
      .first();
    return row && operationOf(row);
  }

  async needingNoCheck({ askedWithinMs }: { askedWithinMs: number }) {
    const refs = await Promise.all([
      this.knex<OperationRow>('operations')
        .where({ kind: 'check' })
        .andWhere('requested_at', '>', ago(this.knex, askedWithinMs))
        .distinct()
        .pluck('cluster_ref'),
      this.knex<OperationRow>('operations')
        .whereIn('status', ['queued', 'running', 'interrupted'])
        .whereIn('kind', ['check', 'restore'])
        .distinct()
        .pluck('cluster_ref'),
    ]);
    return new Set<string>(refs.flat());
  }

  private row(knex: Knex, id: string): Promise<OperationRow | undefined> {
    return knex<OperationRow>('operations').where({ id }).first();
  }

  private leasedTo(knex: Knex, lease: Lease): Changes {
    return {
      worker_id: lease.workerId,
      attempt: lease.attempt,
      lease_expires_at: after(knex, this.leaseMs),
    };
  }

  private async claimed(trx: Knex, lease: Lease): Promise<Claim> {
    const row = (await this.row(trx, lease.id))!;
    return { lease, operation: operationOf(row) };
  }

  /** The index that keeps a second writer off a cluster is the judge of who was first. */
  private async unlessBusy<T>(
    act: (trx: Knex.Transaction) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.knex.transaction(act);
    } catch (error) {
      if (isDatabaseConflictError(error)) return undefined;
      throw error;
    }
  }

  private async fenced(knex: Knex, lease: Lease, change: Changes) {
    const { id, workerId, attempt } = lease;
    const touched = await knex<OperationRow>('operations')
      .where({ id, worker_id: workerId, attempt, status: 'running' })
      .update(change);
    if (!touched) throw new LeaseLostError(lease);
  }
}

type Changes = { [Column in keyof OperationRow]?: OperationRow[Column] | any };

const NOT_LEASED: Changes = { worker_id: null, lease_expires_at: null };

function endedAs(knex: Knex, ending: Ending): Changes {
  return {
    ...NOT_LEASED,
    status: ending.status,
    ended_at: ending.status === 'interrupted' ? null : now(knex),
    bytes: null,
    only_forward: ending.onlyForward ?? null,
    needs_archive: ending.needsArchive ?? null,
    outage_seconds: ending.outageSeconds ?? null,
    findings: ending.findings ? JSON.stringify(ending.findings) : null,
    fault: ending.fault ? JSON.stringify(ending.fault) : null,
  };
}

/** A restore waits for a person; a backup and a check are begun again, unless nobody wants them any more. */
function givenBack(
  knex: Knex,
  row: OperationRow,
  why: string,
): { change: Changes; event: NewEvent } {
  const as = (message: string): NewEvent => ({
    type: 'status',
    message: `${why} ${message}`,
  });
  if (row.kind === 'restore') {
    return {
      change: {
        ...NOT_LEASED,
        status: 'interrupted',
        bytes: null,
        // What may have run on the restored data stays so; whatever else was known is to be asked again.
        only_forward: row.only_forward || null,
      },
      event: as('The restore is interrupted: resume it or undo it.'),
    };
  }
  if (row.cancel_requested) {
    return {
      change: { ...NOT_LEASED, status: 'cancelled', ended_at: now(knex) },
      event: as('It was to be cancelled, and is.'),
    };
  }
  return {
    change: {
      ...NOT_LEASED,
      status: 'queued',
      step_name: null,
      step_title: null,
      bytes: null,
    },
    event: as('It waits to be started again.'),
  };
}

/** A restore that was interrupted kept the API servers away all the while. */
async function outageSince(knex: Knex, id: string): Promise<number> {
  const at = async (
    step: string,
    type: EventRow['type'],
    which: 'asc' | 'desc',
  ) => {
    const row = await knex<EventRow>('operation_events')
      .where({ operation_id: id, step, type })
      .orderBy('id', which)
      .first();
    return Number(row?.at);
  };
  const stopped = await at('park-control-plane', 'step-started', 'asc');
  const ready = await at('return-api-servers', 'step-done', 'desc');
  return (ready - stopped) / 1000 || 0;
}
