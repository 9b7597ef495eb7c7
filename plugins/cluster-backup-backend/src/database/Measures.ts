import { ClusterProtection } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';

/** What is measured of a cluster. Times are milliseconds since 1970. */
export interface ClusterMeasures {
  clusterRef: string;
  /** As it was judged last; absent before the first look. */
  protection?: {
    level: ClusterProtection['level'];
    codes: string[];
    judgedAt?: number;
  };
  /** Of the last backup but those of what a restore replaced. */
  lastBackupAt?: number;
  /** Of the last one of which a store gave a good copy when it was read last. */
  lastVerifiedAt?: number;
}

/** How many operations of a kind are under way. */
export interface OperationMeasures {
  kind: string;
  status: string;
  count: number;
}

/** What is measured, of all clusters at once. */
export class Measures {
  constructor(private readonly knex: Knex) {}

  async ofClusters(): Promise<ClusterMeasures[]> {
    const protection = await this.knex('cluster_protection');
    const made = await this.knex('backups')
      .where({ before_restore: false, removing: null })
      .groupBy('cluster_ref')
      .select('cluster_ref', { at: this.knex.raw('max(created_at)') });
    const verified = await this.knex('backups')
      .where({ before_restore: false, removing: null })
      .whereExists(
        this.knex('backup_copies')
          .select(this.knex.raw('1'))
          .whereRaw('backup_copies.backup_id = backups.id')
          .where({ state: 'good' })
          .whereNotNull('verified_at'),
      )
      .groupBy('cluster_ref')
      .select('cluster_ref', { at: this.knex.raw('max(created_at)') });
    const measures = new Map<string, ClusterMeasures>();
    const of = (clusterRef: string) => {
      const known = measures.get(clusterRef) ?? { clusterRef };
      measures.set(clusterRef, known);
      return known;
    };
    for (const {
      cluster_ref: ref,
      level,
      codes,
      judged_at: at,
    } of protection) {
      of(ref).protection = {
        level,
        codes: JSON.parse(codes),
        judgedAt: at === null ? undefined : Number(at),
      };
    }
    for (const row of made) of(row.cluster_ref).lastBackupAt = Number(row.at);
    for (const row of verified) {
      of(row.cluster_ref).lastVerifiedAt = Number(row.at);
    }
    return [...measures.values()];
  }

  /** Of what has not ended. */
  async ofOperations(): Promise<OperationMeasures[]> {
    const rows = await this.knex('operations')
      .whereIn('status', ['queued', 'running', 'interrupted'])
      .groupBy('kind', 'status')
      .select('kind', 'status', { count: this.knex.raw('count(*)') });
    return rows.map(({ kind, status, count }) => ({
      kind: String(kind),
      status: String(status),
      count: Number(count),
    }));
  }
}
