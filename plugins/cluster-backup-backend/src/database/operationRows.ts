import { randomUUID } from 'node:crypto';
import {
  Operation,
  OperationEvent,
  OperationKind,
  OperationStatus,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { isoTime, now } from './databaseClock';
import { NewEvent, NewOperation } from './OperationStore';

/** Who asked for what no person asked for. */
export const BY_ITSELF = 'plugin:cluster-backup';

export interface OperationRow {
  id: string;
  kind: OperationKind;
  status: OperationStatus;
  cluster_ref: string;
  requested_by: string;
  requested_at: number | string;
  started_at: number | string | null;
  ended_at: number | string | null;
  worker_id: string | null;
  lease_expires_at: number | string | null;
  attempt: number;
  cancel_requested: boolean | number;
  undoing: boolean | number;
  step_name: string | null;
  step_title: string | null;
  bytes: string | null;
  choices: string | null;
  decision: string | null;
  backup_id: string | null;
  due_at: number | string | null;
  only_forward: boolean | number | null;
  needs_archive: boolean | number | null;
  outage_seconds: number | null;
  findings: string | null;
  fault: string | null;
}

export interface EventRow {
  id: number | string;
  operation_id: string;
  at: number | string;
  type: OperationEvent['type'];
  step: string | null;
  machine: string | null;
  message: string;
}

/** Writes a new operation; a part of the transaction that it is asked for in. */
export async function insertOperation(
  trx: Knex,
  row: Pick<
    OperationRow,
    'kind' | 'status' | 'cluster_ref' | 'requested_by' | 'attempt'
  > &
    Partial<OperationRow>,
): Promise<string> {
  const id = randomUUID();
  await trx('operations').insert({
    ...row,
    id,
    requested_at: now(trx),
    cancel_requested: false,
    undoing: false,
  });
  return id;
}

/** Has an operation wait until it can be run; a part of the transaction that it is asked for in. */
export async function queueOperation(
  trx: Knex,
  options: NewOperation & { dueAt?: Date; message: string },
): Promise<string> {
  const { kind, clusterRef, requestedBy, backupId, choices } = options;
  const id = await insertOperation(trx, {
    kind,
    status: 'queued',
    cluster_ref: clusterRef,
    requested_by: requestedBy,
    backup_id: backupId ?? null,
    choices: choices ? JSON.stringify(choices) : null,
    due_at: options.dueAt?.getTime() ?? null,
    attempt: 0,
  });
  const { slots = [] } = options;
  if (slots.length) {
    await trx('operation_slots').insert(
      slots.map(({ resource, atMost }) => ({
        operation_id: id,
        resource,
        at_most: atMost,
      })),
    );
  }
  await appendEvents(trx, id, [{ type: 'status', message: options.message }]);
  return id;
}

/** Adds to the log of an operation. */
export async function appendEvents(knex: Knex, id: string, events: NewEvent[]) {
  if (!events.length) return;
  await knex('operation_events').insert(
    events.map(({ type, step, machine, message }) => ({
      operation_id: id,
      at: now(knex),
      type,
      step: step ?? null,
      machine: machine ?? null,
      message,
    })),
  );
}

/** An operation as the API has it. */
export function operationOf(row: OperationRow): Operation {
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    clusterRef: row.cluster_ref,
    requestedBy: row.requested_by,
    requestedAt: isoTime(row.requested_at),
    startedAt: row.started_at === null ? undefined : isoTime(row.started_at),
    endedAt: row.ended_at === null ? undefined : isoTime(row.ended_at),
    dueAt: row.due_at === null ? undefined : isoTime(row.due_at),
    attempt: row.attempt,
    cancelRequested: Boolean(row.cancel_requested),
    undoing: row.kind === 'restore' ? Boolean(row.undoing) : undefined,
    step:
      row.step_name === null
        ? undefined
        : { name: row.step_name, title: row.step_title ?? row.step_name },
    bytes: row.bytes === null ? undefined : JSON.parse(row.bytes),
    choices: row.choices === null ? undefined : JSON.parse(row.choices),
    decision: row.decision === null ? undefined : JSON.parse(row.decision),
    backupId: row.backup_id ?? undefined,
    onlyForward: flag(row.only_forward),
    needsArchive: flag(row.needs_archive),
    outageSeconds: row.outage_seconds ?? undefined,
    findings: row.findings === null ? undefined : JSON.parse(row.findings),
    fault: row.fault === null ? undefined : JSON.parse(row.fault),
  };
}

/** A line of its log. */
export function eventOf(row: EventRow): OperationEvent {
  return {
    cursor: Number(row.id),
    at: isoTime(row.at),
    type: row.type,
    step: row.step ?? undefined,
    machine: row.machine ?? undefined,
    message: row.message,
  };
}

function flag(value: boolean | number | null): boolean | undefined {
  return value === null ? undefined : Boolean(value);
}
