import { RecipientProof } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Knex } from 'knex';
import { ago, isoTime, now } from './databaseClock';

/** Lost keys are found out once a year at the latest. */
const COUNTS_MS = 365 * 24 * 60 * 60 * 1000;

/** Who has shown when that a recipient's identity is not lost. */
export class RecipientProofs {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  async of(recipients: string[]): Promise<RecipientProof[]> {
    const rows = await this.knex('recipient_proofs')
      .whereIn('recipient', recipients)
      .select('recipient', 'proven_at', 'proven_by', {
        is_proven: this.knex.raw('(proven_at > ?)', [
          ago(this.knex, COUNTS_MS),
        ]),
      });
    return recipients.map(recipient => {
      const row = rows.find(each => each.recipient === recipient);
      if (!row) return { recipient, isProven: false };
      return {
        recipient,
        provenAt: isoTime(row.proven_at),
        provenBy: row.proven_by,
        isProven: Boolean(row.is_proven),
      };
    });
  }

  async record(recipient: string, by: string): Promise<RecipientProof> {
    await this.knex('recipient_proofs')
      .insert({ recipient, proven_at: now(this.knex), proven_by: by })
      .onConflict('recipient')
      .merge();
    return (await this.of([recipient]))[0];
  }
}
