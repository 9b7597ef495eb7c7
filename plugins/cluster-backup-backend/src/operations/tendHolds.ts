import { LoggerService } from '@backstage/backend-plugin-api';
import { findHolds, FoundHold } from '@cluster-backup/engine';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { ConfiguredClusters } from './ConfiguredClusters';
import { openStore } from './openStore';

/** Brings the holds that are in the stores into the records: a portal's records are a copy. */
export async function tendHolds(tending: {
  clusters: ConfiguredClusters;
  backups: BackupRecordStore;
  logger: LoggerService;
}): Promise<void> {
  const { clusters, backups, logger } = tending;
  const before = new Date();
  const found: FoundHold[] = [];
  const listed: string[] = [];
  for (const id of clusters.stores) {
    try {
      const store = await openStore(clusters.store(id));
      for await (const hold of findHolds(store)) found.push(hold);
      listed.push(id);
    } catch (error) {
      logger.warn('The holds in a store are not known', {
        store: id,
        cause: String(error),
      });
    }
  }
  await backups.recordHolds({ found, listed, before });
}
