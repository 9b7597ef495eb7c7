import {
  DatabaseService,
  resolvePackagePath,
} from '@backstage/backend-plugin-api';
import { Knex } from 'knex';

const SERVED = ['better-sqlite3', 'pg'];

/** The plugin's database, migrated. */
export async function openDatabase(database: DatabaseService): Promise<Knex> {
  const knex = await database.getClient();
  const { client } = knex.client.config;
  if (!SERVED.includes(client)) {
    throw new Error(
      `Cluster backup keeps its operations in SQLite or PostgreSQL; backend.database.client is ${client}.`,
    );
  }
  if (!database.migrations?.skip) {
    await knex.migrate.latest({
      directory: resolvePackagePath(
        '@cluster-backup/backstage-plugin-cluster-backup-backend',
        'migrations',
      ),
    });
  }
  return knex;
}
