import { CustodyEntry } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { isoTime, now } from './databaseClock';

/** More than anybody reads; the audit has all of it. */
const MOST = 500;

/** What is written down when something was done to an archive. */
export type NewCustodyEntry = Omit<CustodyEntry, 'at'> & { backupId: string };

/** Writes down what was done to an archive; a part of the transaction that does it, where there is one. */
export async function recordCustody(
  knex: Knex,
  entry: NewCustodyEntry,
): Promise<void> {
  await knex('custody').insert({
    backup_id: entry.backupId,
    at: now(knex),
    event: entry.event,
    by: entry.by ?? null,
    why: entry.why ?? null,
    store: entry.store ?? null,
    operation_id: entry.operationId ?? null,
  });
}

/** What was done to an archive, newest first. Nothing is ever taken out. */
export async function custodyOf(
  knex: Knex,
  backupId: string,
): Promise<CustodyEntry[]> {
  const rows = await knex('custody')
    .where({ backup_id: backupId })
    .orderBy('id', 'desc')
    .limit(MOST);
  return rows.map(row => ({
    at: isoTime(row.at),
    event: row.event,
    by: row.by ?? undefined,
    why: row.why ?? undefined,
    store: row.store ?? undefined,
    operationId: row.operation_id ?? undefined,
  }));
}
