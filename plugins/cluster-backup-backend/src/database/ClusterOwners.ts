import { ClusterOwnership } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { ago, isoTime, now } from './databaseClock';

/** So long the owners of before can say no to a change that they did not make. */
export const OWNERS_COUNT_AFTER_MS = 24 * 60 * 60 * 1000;

type OwnersOnRecord = Omit<ClusterOwnership, 'isPinned'>;

/** A change of owners that nobody was told of. */
export interface UntoldChange {
  clusterRef: string;
  from: string[];
  to: string[];
  countsFrom: string;
}

/** Who the catalog says owns each cluster: a change counts a day after it was seen first. */
export class ClusterOwners {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  /** Compares what the catalog says now with what is on record. What is seen first counts at once. */
  async see(clusterRef: string, seen: string[]): Promise<OwnersOnRecord> {
    const owners = JSON.stringify([...seen].sort());
    const of = () =>
      this.knex('cluster_owners').where('cluster_ref', clusterRef);
    const before = await of().first();
    if (before?.owners === owners && before.next_owners === null) {
      return onRecord(before);
    }
    await this.knex('cluster_owners')
      .insert({ cluster_ref: clusterRef, owners, next_told: false })
      .onConflict('cluster_ref')
      .ignore();
    // They are as they were: a change was taken back.
    await of()
      .where({ owners })
      .whereNotNull('next_owners')
      .update({ next_owners: null, next_since: null, next_told: false });
    await of()
      .whereNot({ owners })
      .where(differs =>
        differs.whereNull('next_owners').orWhereNot('next_owners', owners),
      )
      .update({
        next_owners: owners,
        next_since: now(this.knex),
        next_told: false,
      });
    await of()
      .where({ next_owners: owners })
      .where('next_since', '<=', ago(this.knex, OWNERS_COUNT_AFTER_MS))
      .update({ owners, next_owners: null, next_since: null });
    return onRecord(await of().first());
  }

  async untold(): Promise<UntoldChange[]> {
    const rows = await this.knex('cluster_owners')
      .whereNotNull('next_owners')
      .where({ next_told: false });
    return rows.map(row => {
      const { owners, next } = onRecord(row);
      return {
        clusterRef: row.cluster_ref,
        from: owners,
        to: next!.owners,
        countsFrom: next!.countsFrom,
      };
    });
  }

  async told({ clusterRef, to }: UntoldChange): Promise<void> {
    await this.knex('cluster_owners')
      .where({ cluster_ref: clusterRef, next_owners: JSON.stringify(to) })
      .update({ next_told: true });
  }
}

function onRecord(row: {
  owners: string;
  next_owners: string | null;
  next_since: number | string | null;
}): OwnersOnRecord {
  const owners = JSON.parse(row.owners);
  if (row.next_owners === null) return { owners };
  const since = Number(row.next_since);
  return {
    owners,
    next: {
      owners: JSON.parse(row.next_owners),
      since: isoTime(since),
      countsFrom: isoTime(since + OWNERS_COUNT_AFTER_MS),
    },
  };
}
