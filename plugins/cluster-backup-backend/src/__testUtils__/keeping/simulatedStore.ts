import { Readable } from 'node:stream';
import {
  OpenStore,
  StoredFile,
} from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { BackupStore, ClusterBackupError } from '@cluster-backup/engine';
import { Knex } from 'knex';

/** Where the files of all simulated stores are, and which stores do not answer now. */
export const ground: { knex?: Knex; away: string[] } = { away: [] };

export function refuseAway(id: string) {
  if (!ground.away.includes(id)) return;
  throw new ClusterBackupError({
    code: 'store-unavailable',
    message: `Store ${id} does not answer.`,
    state: 'Nothing was changed.',
    remedy: `Look at ${id}.`,
  });
}

/** A store whose files are rows, so that all replicas have them at once and whoever looks later as well. */
export const openStore: OpenStore = async ({ id }): Promise<BackupStore> => {
  refuseAway(id);
  const knex = ground.knex!;
  const fileOf = ({ key }: { key: string }): StoredFile => ({
    ...{ key, size: 1, modifiedAt: new Date() },
  });
  return {
    id,
    identity: async () => id,
    async put(key) {
      await knex('files').insert({ store: id, key }).onConflict().ignore();
      return fileOf({ key });
    },
    get: async () => Readable.from([]),
    async head(key) {
      const row = await knex('files').where({ store: id, key }).first();
      return row && fileOf(row);
    },
    async *list(prefix) {
      const rows = await knex('files').where({ store: id });
      for (const row of rows) {
        if (row.key.startsWith(prefix)) yield fileOf(row);
      }
    },
    async remove(key) {
      await knex('files').where({ store: id, key }).delete();
    },
    sweep: async () => {},
  };
};
