import { randomUUID } from 'node:crypto';
import {
  Backup,
  BackupCopy,
  BackupHold,
  BackupPage,
  CustodyEntry,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { FoundHold, UNKNOWN_HOLDER } from '@cluster-backup/engine';
import { Knex } from 'knex';
import { FoundCopy } from '../operations/Job';
import { custodyOf, NewCustodyEntry, recordCustody } from './custody';
import { ago, isoTime, now } from './databaseClock';
import { BackupRecordStore } from './BackupRecordStore';

export interface BackupRow {
  id: string;
  cluster_ref: string;
  key: string;
  created_at: number | string;
  is_encrypted: boolean | number;
  size: number | string;
  snapshot_size: number | string;
  revision: number | string;
  member: string;
  versions: string;
  gdc: string | null;
  nodes: string;
  sha256: string;
  signer: string;
  reservations: string;
  requested_by: string | null;
  operation_id: string | null;
  before_restore: boolean | number;
  found_at: number | string | null;
  hold: string | null;
  removing: string | null;
}

interface CopyRow {
  backup_id: string;
  store: string;
  state: BackupCopy['state'];
  checked_at: number | string;
  verified_at: number | string | null;
  locked_until: number | string | null;
  fault: string | null;
}

/** Keeps the records in the plugin's database. */
export class DatabaseBackupRecordStore implements BackupRecordStore {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  async get(id: string): Promise<Backup | undefined> {
    const row = await this.knex<BackupRow>('backups')
      .where({ id, removing: null })
      .first();
    return row && (await backupsOf(this.knex, [row]))[0];
  }

  async dueForVerification(options: {
    verifiedBeforeMs: number;
    retryAfterMs: number;
    limit: number;
  }): Promise<Backup[]> {
    const { verifiedBeforeMs, retryAfterMs, limit } = options;
    const rows = await this.knex<BackupRow>('backups')
      .select('backups.*')
      .where({ removing: null })
      .whereExists(
        this.knex('backup_copies')
          .select(this.knex.raw('1'))
          .whereRaw('backup_copies.backup_id = backups.id')
          .andWhere('checked_at', '<', ago(this.knex, retryAfterMs))
          .andWhere(due =>
            due
              .whereNot({ state: 'good' })
              .orWhere('checked_at', '<', ago(this.knex, verifiedBeforeMs)),
          ),
      )
      .whereNotExists(
        this.knex('operations')
          .select(this.knex.raw('1'))
          .whereRaw('operations.backup_id = backups.id')
          .where({ kind: 'verify' })
          .whereIn('status', ['queued', 'running']),
      )
      .orderBy('backups.created_at', 'desc')
      .limit(limit);
    return backupsOf(this.knex, rows);
  }

  async keysIn(store: string): Promise<string[]> {
    const rows = await this.knex('backups')
      .join('backup_copies', 'backups.id', 'backup_copies.backup_id')
      .where({ store })
      .select('key');
    return rows.map(({ key }) => key);
  }

  async recordFound(
    store: string,
    backup: Omit<Backup, 'id' | 'copies'>,
  ): Promise<void> {
    await this.knex.transaction(async trx => {
      const there = await trx<BackupRow>('backups')
        .where({ key: backup.key })
        .first();
      const id = there?.id ?? randomUUID();
      if (!there) await insertBackup(trx, { ...backup, id });
      await recordCopies(trx, id, [{ store, state: 'unknown' }]);
    });
  }

  async custody(id: string): Promise<CustodyEntry[]> {
    return custodyOf(this.knex, id);
  }

  async recordCustody(entry: NewCustodyEntry): Promise<void> {
    await recordCustody(this.knex, entry);
  }

  async setHold(
    id: string,
    hold: BackupHold | undefined,
    by: string,
  ): Promise<boolean> {
    return this.knex.transaction(async trx => {
      const set = await trx<BackupRow>('backups')
        .where({ id, removing: null })
        .update({ hold: hold ? JSON.stringify(hold) : null });
      if (!set) return false;
      await recordCustody(trx, {
        backupId: id,
        event: hold ? 'held' : 'released',
        by,
        why: hold?.reason,
      });
      return true;
    });
  }

  async recordHolds(options: {
    found: FoundHold[];
    listed: string[];
    before: Date;
  }): Promise<void> {
    const { found, listed, before } = options;
    const rows = await this.knex<BackupRow>('backups').whereNotNull('hold');
    const recorded = new Map<string, BackupHold>(
      rows.map(({ key, hold }) => [key, JSON.parse(hold!)]),
    );
    for (const { key, hold } of found) {
      const known = recorded.get(key);
      const isBetter =
        known?.by === UNKNOWN_HOLDER && hold.by !== UNKNOWN_HOLDER;
      if (known && !isBetter) continue;
      await this.knex<BackupRow>('backups')
        .where({ key })
        .update({ hold: JSON.stringify(hold) });
      recorded.set(key, hold);
    }
    const held = new Set(found.map(({ key }) => key));
    const gone = rows.filter(
      ({ key, hold }) =>
        !held.has(key) && Date.parse(JSON.parse(hold!).at) < before.getTime(),
    );
    for (const { id, hold } of gone) {
      await this.knex<BackupRow>('backups')
        .where({ id, hold })
        .whereNotExists(
          this.knex('backup_copies')
            .select(this.knex.raw('1'))
            .where({ backup_id: id })
            .whereNotIn('store', listed),
        )
        .update({ hold: null });
    }
  }

  async last(clusterRef: string): Promise<Backup | undefined> {
    const rows = await this.knex<BackupRow>('backups')
      .where({
        ...{ cluster_ref: clusterRef, before_restore: false },
        removing: null,
      })
      .orderBy('created_at', 'desc')
      .limit(1);
    return (await backupsOf(this.knex, rows))[0];
  }

  async page(
    clusterRef: string,
    options: { limit: number; next?: string },
  ): Promise<BackupPage> {
    const { limit, next } = options;
    const query = this.knex<BackupRow>('backups')
      .where({ cluster_ref: clusterRef, removing: null })
      .orderBy([
        { column: 'created_at', order: 'desc' },
        { column: 'id', order: 'desc' },
      ])
      .limit(limit + 1);
    const last = next && (await this.get(next));
    if (last) {
      const at = Date.parse(last.createdAt);
      query.andWhere(older =>
        older
          .where('created_at', '<', at)
          .orWhere(same =>
            same.where('created_at', at).andWhere('id', '<', last.id),
          ),
      );
    }
    const backups = await backupsOf(this.knex, await query);
    const isLast = backups.length <= limit;
    return {
      backups: backups.slice(0, limit),
      ...(!isLast && { next: backups[limit - 1].id }),
    };
  }
}

/** Backups with what their stores gave last. */
export async function backupsOf(
  knex: Knex,
  rows: BackupRow[],
): Promise<Backup[]> {
  const copies = await knex<CopyRow>('backup_copies')
    .whereIn(
      'backup_id',
      rows.map(({ id }) => id),
    )
    .orderBy('store');
  const byBackup = new Map<string, CopyRow[]>(rows.map(({ id }) => [id, []]));
  for (const copy of copies) byBackup.get(copy.backup_id)!.push(copy);
  return rows.map(row => backupOf(row, byBackup.get(row.id)!));
}

/** Writes down what the stores gave; a part of the transaction that ends an operation. */
export async function recordCopies(
  knex: Knex,
  backupId: string,
  copies: FoundCopy[],
): Promise<void> {
  for (const { store, state, lockedUntil, fault } of copies) {
    await knex('backup_copies')
      .insert({
        backup_id: backupId,
        store,
        state,
        checked_at: now(knex),
        ...(state === 'good' && { verified_at: now(knex) }),
        ...(lockedUntil && { locked_until: Date.parse(lockedUntil) }),
        fault: fault ? JSON.stringify(fault) : null,
      })
      .onConflict(['backup_id', 'store'])
      .merge();
  }
}

function copyOf(row: CopyRow): BackupCopy {
  return {
    store: row.store,
    state: row.state,
    checkedAt: isoTime(row.checked_at),
    verifiedAt: row.verified_at === null ? undefined : isoTime(row.verified_at),
    lockedUntil:
      row.locked_until === null ? undefined : isoTime(row.locked_until),
    fault: row.fault === null ? undefined : JSON.parse(row.fault),
  };
}

/** Writes a record; a part of the transaction that ends its operation. */
export async function insertBackup(
  knex: Knex,
  backup: Omit<Backup, 'copies'>,
): Promise<void> {
  const row: BackupRow = {
    id: backup.id,
    cluster_ref: backup.clusterRef,
    key: backup.key,
    created_at: Date.parse(backup.createdAt),
    is_encrypted: backup.isEncrypted,
    size: backup.size,
    snapshot_size: backup.snapshotSize,
    revision: backup.revision,
    member: backup.member,
    versions: JSON.stringify(backup.versions),
    gdc: backup.gdc ? JSON.stringify(backup.gdc) : null,
    nodes: JSON.stringify(backup.nodes),
    sha256: backup.sha256,
    signer: backup.signer,
    reservations: JSON.stringify(backup.reservations),
    requested_by: backup.requestedBy ?? null,
    operation_id: backup.operationId ?? null,
    before_restore: backup.isBeforeRestore,
    found_at: backup.foundAt ? Date.parse(backup.foundAt) : null,
    hold: backup.hold ? JSON.stringify(backup.hold) : null,
    removing: null,
  };
  await knex<BackupRow>('backups').insert(row);
  await recordCustody(knex, {
    backupId: backup.id,
    event: backup.foundAt ? 'found' : 'created',
    by: backup.requestedBy,
    operationId: backup.operationId,
  });
}

function backupOf(row: BackupRow, copies: CopyRow[]): Backup {
  return {
    id: row.id,
    clusterRef: row.cluster_ref,
    copies: copies.map(copyOf),
    key: row.key,
    createdAt: isoTime(row.created_at),
    isEncrypted: Boolean(row.is_encrypted),
    size: Number(row.size),
    snapshotSize: Number(row.snapshot_size),
    revision: Number(row.revision),
    member: row.member,
    versions: JSON.parse(row.versions),
    gdc: row.gdc === null ? undefined : JSON.parse(row.gdc),
    nodes: JSON.parse(row.nodes),
    sha256: row.sha256,
    signer: row.signer,
    reservations: JSON.parse(row.reservations),
    requestedBy: row.requested_by ?? undefined,
    operationId: row.operation_id ?? undefined,
    isBeforeRestore: Boolean(row.before_restore),
    foundAt: row.found_at === null ? undefined : isoTime(row.found_at),
    hold: row.hold === null ? undefined : JSON.parse(row.hold),
  };
}
