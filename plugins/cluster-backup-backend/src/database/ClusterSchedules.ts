import { Knex } from 'knex';
import { after, isoTime, now } from './databaseClock';
import { appendEvents, BY_ITSELF, queueOperation } from './operationRows';
import { Slot } from './OperationStore';

/** What failed is due again so long after, where it is not anyway. */
const RETRY_MS = 60 * 60_000;

/** When a cluster is backed up next. */
export interface KnownSchedule {
  /** The rule that says so, as text. */
  schedule: string;
  dueAt: Date;
}

/** When clusters are backed up next, for all replicas: whoever moves a time on has the backup of that time to queue. */
export class ClusterSchedules {
  constructor(private readonly knex: Knex) {}

  /** All of them, by their entities, and what time it is. */
  async known(): Promise<{ at: Date; known: Map<string, KnownSchedule> }> {
    const [clock] = await this.knex.select({ at: now(this.knex) });
    const rows = await this.knex('cluster_schedules');
    return {
      at: new Date(Number(clock.at)),
      known: new Map(
        rows.map(row => [
          row.cluster_ref,
          { schedule: row.schedule, dueAt: new Date(Number(row.due_at)) },
        ]),
      ),
    };
  }

  /** When a cluster is backed up next, where it has a schedule. */
  async dueAt(clusterRef: string): Promise<string | undefined> {
    const row = await this.knex('cluster_schedules')
      .where({ cluster_ref: clusterRef })
      .first();
    return row && isoTime(row.due_at);
  }

  /** Of a cluster that is seen for the first time: it is due now. */
  async begin(clusterRef: string, schedule: string): Promise<void> {
    await this.knex('cluster_schedules')
      .insert({
        cluster_ref: clusterRef,
        schedule,
        due_at: after(this.knex, 0),
      })
      .onConflict('cluster_ref')
      .ignore();
  }

  /** Another schedule, unless somebody else has changed it. */
  async change(
    clusterRef: string,
    from: KnownSchedule,
    to: KnownSchedule,
  ): Promise<void> {
    await move(this.knex, clusterRef, from, to);
  }

  /**
   * Queues the backup that is due, with the next time: both or none, and by one replica only. One that waits since an
   * earlier time serves this one too.
   *
   * @returns whether it was queued
   */
  async queueDue(options: {
    clusterRef: string;
    from: KnownSchedule;
    next: Date;
    slots: Slot[];
    /** For its log. */
    message: string;
  }): Promise<boolean> {
    const { clusterRef, from, next, slots, message } = options;
    return this.knex.transaction(async trx => {
      const to = { ...from, dueAt: next };
      if (!(await move(trx, clusterRef, from, to))) return false;
      const waiting = await trx('operations')
        .where({ cluster_ref: clusterRef, kind: 'backup', status: 'queued' })
        .whereNotNull('due_at')
        .first('id');
      if (waiting) {
        await appendEvents(trx, waiting.id, [
          {
            type: 'status',
            message: `${message} This one, which waits, serves it too.`,
          },
        ]);
        return false;
      }
      await queueOperation(trx, {
        ...{ kind: 'backup', clusterRef, requestedBy: BY_ITSELF },
        ...{ slots, dueAt: from.dueAt, message },
      });
      return true;
    });
  }
}

/** What failed is tried again; a part of the transaction that ends it. */
export async function dueAgain(trx: Knex, clusterRef: string): Promise<void> {
  await trx('cluster_schedules')
    .where({ cluster_ref: clusterRef })
    .andWhere('due_at', '>', after(trx, RETRY_MS))
    .update({ due_at: after(trx, RETRY_MS) });
}

/** Whether it was still as it was thought to be. */
async function move(
  knex: Knex,
  clusterRef: string,
  from: KnownSchedule,
  to: KnownSchedule,
): Promise<boolean> {
  const moved = await knex('cluster_schedules')
    .where({
      cluster_ref: clusterRef,
      schedule: from.schedule,
      due_at: from.dueAt.getTime(),
    })
    .update({ schedule: to.schedule, due_at: to.dueAt.getTime() });
  return moved === 1;
}
