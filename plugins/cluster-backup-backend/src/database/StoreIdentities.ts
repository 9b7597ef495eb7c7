import { Knex } from 'knex';

/** Which disk or bucket each store is: what the first replica saw holds for all. */
export class StoreIdentities {
  private readonly knex: Knex;

  constructor(knex: Knex) {
    this.knex = knex;
  }

  async all(): Promise<Map<string, string>> {
    const rows = await this.knex('stores').select('id', 'identity');
    return new Map(rows.map(({ id, identity }) => [id, identity]));
  }

  /** Unless there is one already. */
  async record(id: string, identity: string): Promise<void> {
    await this.knex('stores')
      .insert({ id, identity })
      .onConflict('id')
      .ignore();
  }
}
