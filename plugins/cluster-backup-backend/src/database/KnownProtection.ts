import { ClusterProtection } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { now } from './databaseClock';

/** How well a cluster is protected, as its owners know it. */
export interface Known {
  level: ClusterProtection['level'];
  /** Of the reasons; each once. */
  codes: string[];
}

/** What the owners of clusters were told of their protection. */
export class KnownProtection {
  constructor(private readonly knex: Knex) {}

  async of(clusterRef: string): Promise<Known | undefined> {
    const row = await this.knex('cluster_protection')
      .where({ cluster_ref: clusterRef })
      .first();
    return row && { level: row.level, codes: JSON.parse(row.codes) };
  }

  /** It was looked at, and is as they know it. */
  async confirm(clusterRef: string): Promise<void> {
    await this.knex('cluster_protection')
      .where({ cluster_ref: clusterRef })
      .update({ judged_at: now(this.knex) });
  }

  async record(clusterRef: string, { level, codes }: Known): Promise<void> {
    await this.knex('cluster_protection')
      .insert({
        cluster_ref: clusterRef,
        level,
        codes: JSON.stringify(codes),
        judged_at: now(this.knex),
      })
      .onConflict('cluster_ref')
      .merge();
  }
}
