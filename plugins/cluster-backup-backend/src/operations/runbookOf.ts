import {
  Backup,
  restoreCommand,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  Description,
  RunbookBackup,
  writeRunbook,
} from '@cluster-backup/engine';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { RecipientProofs } from '../database/RecipientProofs';
import { ConfiguredClusters } from './ConfiguredClusters';
import { foreseen } from './fault';
import { placeOf } from './openStore';

/** So many are named; whoever needs an older one finds it beside them. */
const NEWEST = 5;

/** What to do with a cluster where this portal is gone, as Markdown; what cannot be known now is left out of it. */
export async function runbookOf(
  {
    clusters,
    backups,
    recipientProofs,
  }: {
    clusters: ConfiguredClusters;
    backups: BackupRecordStore;
    recipientProofs: RecipientProofs;
  },
  clusterRef: string,
): Promise<string> {
  const cluster = clusters.configuredName(clusterRef);
  const [page, recipients] = await Promise.all([
    backups.page(clusterRef, { limit: NEWEST }),
    recipientProofs.of(clusters.recipients),
  ]);
  const inStores = page.backups.filter(backup => goodIn(backup).length > 0);
  return writeRunbook({
    cluster,
    writtenAt: new Date().toISOString(),
    backups: inStores.map(backup => named(cluster, backup)),
    description: await newestDescription(
      clusters,
      // What a restore replaced comes last.
      [...inStores].sort(
        (a, b) => Number(a.isBeforeRestore) - Number(b.isBeforeRestore),
      ),
    ),
    stores: clusters.stores.map(id => ({
      id,
      place: placeOf(clusters.store(id)),
    })),
    recipients,
    expireAfterDays: clusters.expireAfterDays,
  });
}

function named(cluster: string, backup: Backup): RunbookBackup {
  return {
    ...backup,
    stores: goodIn(backup),
    command: restoreCommand(cluster, backup),
  };
}

function goodIn({ copies }: Backup): string[] {
  return copies
    .filter(({ state }) => state === 'good')
    .map(({ store }) => store);
}

async function newestDescription(
  clusters: ConfiguredClusters,
  backups: Backup[],
): Promise<Description | undefined> {
  for (const backup of backups) {
    try {
      const { summary } = await clusters.summary(backup);
      return summary.description;
    } catch (error) {
      if (!foreseen(error)) throw error;
    }
  }
  return undefined;
}
