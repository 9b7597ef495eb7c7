import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { StoreIdentities } from '../database/StoreIdentities';
import { auditEffect } from './auditEffect';
import { ConfiguredClusters } from './ConfiguredClusters';
import { openStore } from './openStore';
import { recordOf } from './recordOf';
import { startEngine } from './startEngine';
import { tendHolds } from './tendHolds';

interface Tending {
  scheduler: SchedulerService;
  logger: LoggerService;
  auditor: AuditorService;
  clusters: ConfiguredClusters;
  backups: BackupRecordStore;
  identities: StoreIdentities;
}

/**
 * Looks after the stores: each replica whether they are those that the others use, and one of the replicas, once a day,
 * what was left in them half-written, and which backups and holds in them there is no record of. So a portal that lost
 * its database knows its backups again.
 */
export async function tendStores(tending: Tending): Promise<void> {
  const { scheduler } = tending;
  await scheduler.scheduleTask({
    id: 'cluster-backup-recognize-stores',
    scope: 'local',
    frequency: { minutes: 10 },
    timeout: { minutes: 5 },
    fn: () => recognizeStores(tending),
  });
  await scheduler.scheduleTask({
    id: 'cluster-backup-tend-stores',
    frequency: { hours: 24 },
    initialDelay: { minutes: 1 },
    timeout: { hours: 6 },
    fn: signal => tendAll(tending, signal),
  });
}

/** A store that cannot be opened now is recognized later, and refused by nobody until then. */
export async function recognizeStores(
  tending: Omit<Tending, 'scheduler'>,
): Promise<void> {
  const { clusters, identities, logger } = tending;
  clusters.recognize(await identities.all());
  for (const id of clusters.stores) {
    try {
      const store = await openStore(clusters.store(id));
      await identities.record(id, await store.identity());
    } catch (error) {
      logger.warn('A store is not as it should be', {
        store: id,
        cause: String(error),
      });
    }
  }
  clusters.recognize(await identities.all());
}

export async function tendAll(
  tending: Omit<Tending, 'scheduler'>,
  signal: AbortSignal,
) {
  for (const id of tending.clusters.stores) {
    if (signal.aborted) return;
    await tendOne(tending, id, signal).catch(error =>
      tending.logger.warn('A store was not tended', {
        store: id,
        cause: String(error),
      }),
    );
  }
  await tendHolds(tending);
}

async function tendOne(
  tending: Omit<Tending, 'scheduler'>,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const { clusters, backups, auditor, logger } = tending;
  const engine = startEngine(
    {
      type: 'tend',
      store: clusters.store(id),
      recorded: await backups.keysIn(id),
      trustedSigners: await clusters.trustedSigners(),
    },
    {
      progress: event => {
        if (event.type === 'note') logger.warn(event.message, { store: id });
      },
      defect: stack => logger.warn(stack),
    },
  );
  signal.addEventListener('abort', engine.kill);
  try {
    const outcome = await engine.outcome;
    if (outcome.type === 'failed') throw new Error(outcome.fault.message);
    if (outcome.type !== 'tended') return;
    const foundAt = new Date().toISOString();
    for (const { key, summary } of outcome.found) {
      const clusterRef = clusters.clusterOf(key);
      if (!clusterRef) continue;
      const record = { ...recordOf(key, summary), clusterRef, foundAt };
      await backups.recordFound(id, record);
      logger.info('A backup was found in a store', { store: id, key });
      await auditEffect(auditor, 'backup-found', {
        clusterRef,
        store: id,
        key,
      });
    }
    for (const key of outcome.swept) {
      logger.info('An archive without a summary was removed', {
        store: id,
        key,
      });
      await auditEffect(auditor, 'archive-sweep', { store: id, key });
    }
  } finally {
    signal.removeEventListener('abort', engine.kill);
  }
}
