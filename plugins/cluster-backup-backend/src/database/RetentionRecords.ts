import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';
import { Knex } from 'knex';
import { recordCustody } from './custody';
import { BackupRow, backupsOf } from './DatabaseBackupRecordStore';
import { ago, now } from './databaseClock';
import { BY_ITSELF } from './operationRows';

/** A backup, and what else says whether it is kept. */
export interface KeptRecord {
  backup: Backup;
  /** A restore of it is under way, or asked for. */
  isNeeded: boolean;
  /** It was found in a store, and nobody has accepted since that the rule is for it too. */
  isFound: boolean;
  /** Since when nothing keeps it, as far as it was looked. */
  goingSince?: Date;
}

/** A backup whose removal was begun, and why it goes. */
export interface BegunRemoval {
  backup: Backup;
  why: string;
}

type Row = BackupRow & { going_since: number | string | null };

/** What is written down of backups that go. */
export class RetentionRecords {
  constructor(private readonly knex: Knex) {}

  /** The clusters that there are backups of, configured or not. */
  async clusterRefs(): Promise<string[]> {
    const rows = await this.knex('backups').distinct('cluster_ref');
    return rows.map(row => row.cluster_ref).sort();
  }

  /** All backups of a cluster, and what time it is. */
  async of(clusterRef: string): Promise<{ at: Date; records: KeptRecord[] }> {
    const [clock] = await this.knex.select({ at: now(this.knex) });
    const rows: Row[] = await this.knex<Row>('backups').where({
      ...{ cluster_ref: clusterRef, removing: null },
    });
    const backups = await backupsOf(this.knex, rows);
    const needed = await neededIds(this.knex, clusterRef);
    const accepted = await this.knex('accepted_backups')
      .where({ cluster_ref: clusterRef })
      .first();
    const acceptedAt = Number(accepted?.accepted_at ?? 0);
    return {
      at: new Date(Number(clock.at)),
      records: rows.map(({ id, found_at: foundAt, going_since: since }, i) => ({
        backup: backups[i],
        isNeeded: needed.has(id),
        isFound: foundAt !== null && Number(foundAt) > acceptedAt,
        goingSince: since === null ? undefined : new Date(Number(since)),
      })),
    };
  }

  /** Writes down which backups of a cluster nothing keeps any more; since when, where that is new. */
  async noteGoing(clusterRef: string, ids: string[]): Promise<void> {
    await this.knex<Row>('backups')
      .where({ cluster_ref: clusterRef })
      .whereNotNull('going_since')
      .whereNotIn('id', ids)
      .update({ going_since: null });
    await this.knex<Row>('backups')
      .whereIn('id', ids)
      .whereNull('going_since')
      .update({ going_since: now(this.knex) as never });
  }

  /**
   * From then on it is no backup any more.
   *
   * @param goingForMs - nothing has kept it for so long
   * @returns whether it may be removed: somebody may have said meanwhile that it is kept, or begun to restore it
   */
  async begin(
    { id, clusterRef }: Backup,
    why: string,
    goingForMs: number,
  ): Promise<boolean> {
    return this.knex.transaction(async trx => {
      // A restore that begins right now has the row, or waits for it.
      if (!(await takeRow(trx, id))) return false;
      if ((await neededIds(trx, clusterRef)).has(id)) return false;
      // Whoever reads its copies would make one anew that is gone.
      const isRead = await trx('operations')
        .where({ backup_id: id, kind: 'verify' })
        .whereIn('status', ['queued', 'running'])
        .first('id');
      if (isRead) return false;
      const begun = await trx<Row>('backups')
        .where({ id, hold: null })
        .andWhere('going_since', '<=', ago(trx, goingForMs))
        .update({ removing: why });
      return begun === 1;
    });
  }

  /** Removals that were begun, by whoever died over them. */
  async begun(): Promise<BegunRemoval[]> {
    const rows = await this.knex<Row>('backups')
      .whereNotNull('removing')
      .orderBy('created_at');
    const backups = await backupsOf(this.knex, rows);
    return backups.map((backup, i) => ({ backup, why: rows[i].removing! }));
  }

  /** It is gone from the stores. */
  async end({ id }: Backup, why: string): Promise<void> {
    await this.knex.transaction(async trx => {
      const gone = await trx('backups').where({ id }).delete();
      if (!gone) return;
      await recordCustody(trx, {
        ...{ backupId: id, event: 'deleted', by: BY_ITSELF, why },
      });
    });
  }

  /** It is there as it was, after all. */
  async giveUp({ id }: Backup, lockedUntil?: Date): Promise<void> {
    await this.knex.transaction(async trx => {
      await trx<Row>('backups')
        .where({ id })
        .update({ removing: null, going_since: null });
      if (!lockedUntil) return;
      const until = lockedUntil.getTime();
      await trx('backup_copies')
        .where({ backup_id: id })
        .andWhere(earlier =>
          earlier.whereNull('locked_until').orWhere('locked_until', '<', until),
        )
        .update({ locked_until: until });
    });
  }

  /** The rule is for the backups that were found until now, too. */
  async accept(clusterRef: string, by: string): Promise<void> {
    await this.knex('accepted_backups')
      .insert({
        cluster_ref: clusterRef,
        accepted_at: now(this.knex),
        accepted_by: by,
      })
      .onConflict('cluster_ref')
      .merge();
  }
}

/**
 * Of a restore that begins: nobody removes the backup from now on. A part of the transaction that begins it.
 *
 * @throws ClusterBackupError `backup-unknown`
 */
export async function refuseRemoved(trx: Knex, id: string): Promise<void> {
  const isThere = await trx('backups').where({ id }).first('id');
  // A restore of what was never recorded is its caller's matter.
  if (!isThere || (await takeRow(trx, id))) return;
  throw new ClusterBackupError({
    code: 'backup-unknown',
    message: `The backup ${id} is being removed.`,
    state: NOTHING_CHANGED,
    remedy: "Choose another one of the cluster's backups.",
  });
}

/** Until the transaction ends nobody else changes it; whether it is not being removed. */
async function takeRow(trx: Knex, id: string): Promise<boolean> {
  const taken = await trx<Row>('backups')
    .where({ id, removing: null })
    .update({ removing: null });
  return taken === 1;
}

/** Backups that a restore uses, or would if it were approved. */
async function neededIds(knex: Knex, clusterRef: string): Promise<Set<string>> {
  const restored = await knex('operations')
    .where({ cluster_ref: clusterRef, kind: 'restore' })
    .whereIn('status', ['running', 'interrupted'])
    .select('backup_id');
  const requested = await knex('restore_requests')
    .where({ cluster_ref: clusterRef })
    .whereIn('status', ['pending', 'approved'])
    .andWhere('expires_at', '>', now(knex))
    .select('backup_id');
  return new Set([...restored, ...requested].map(row => row.backup_id));
}
