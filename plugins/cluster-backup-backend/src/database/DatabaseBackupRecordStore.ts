import {
  Backup,
  BackupPage,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { isoTime } from './databaseClock';
import { BackupRecordStore } from './BackupRecordStore';

interface BackupRow {
  id: string;
  cluster_ref: string;
  store: string;
  key: string;
  created_at: number | string;
  size: number | string;
  snapshot_size: number | string;
  revision: number | string;
  member: string;
  versions: string;
  nodes: string;
  sha256: string;
  signer: string;
  reservations: string;
  requested_by: string;
  operation_id: string;
}

/** Keeps the records in the plugin's database. */
export class DatabaseBackupRecordStore implements BackupRecordStore {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  async get(id: string): Promise<Backup | undefined> {
    const row = await this.knex<BackupRow>('backups').where({ id }).first();
    return row && backupOf(row);
  }

  async page(
    clusterRef: string,
    options: { limit: number; next?: string },
  ): Promise<BackupPage> {
    const { limit, next } = options;
    const query = this.knex<BackupRow>('backups')
      .where({ cluster_ref: clusterRef })
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
    const backups = (await query).map(backupOf);
    const isLast = backups.length <= limit;
    return {
      backups: backups.slice(0, limit),
      ...(!isLast && { next: backups[limit - 1].id }),
    };
  }
}

/** Writes a record; a part of the transaction that ends its operation. */
export async function insertBackup(knex: Knex, backup: Backup): Promise<void> {
  const row: BackupRow = {
    id: backup.id,
    cluster_ref: backup.clusterRef,
    store: backup.store,
    key: backup.key,
    created_at: Date.parse(backup.createdAt),
    size: backup.size,
    snapshot_size: backup.snapshotSize,
    revision: backup.revision,
    member: backup.member,
    versions: JSON.stringify(backup.versions),
    nodes: JSON.stringify(backup.nodes),
    sha256: backup.sha256,
    signer: backup.signer,
    reservations: JSON.stringify(backup.reservations),
    requested_by: backup.requestedBy,
    operation_id: backup.operationId,
  };
  await knex<BackupRow>('backups').insert(row);
}

function backupOf(row: BackupRow): Backup {
  return {
    id: row.id,
    clusterRef: row.cluster_ref,
    store: row.store,
    key: row.key,
    createdAt: isoTime(row.created_at),
    size: Number(row.size),
    snapshotSize: Number(row.snapshot_size),
    revision: Number(row.revision),
    member: row.member,
    versions: JSON.parse(row.versions),
    nodes: JSON.parse(row.nodes),
    sha256: row.sha256,
    signer: row.signer,
    reservations: JSON.parse(row.reservations),
    requestedBy: row.requested_by,
    operationId: row.operation_id,
  };
}
