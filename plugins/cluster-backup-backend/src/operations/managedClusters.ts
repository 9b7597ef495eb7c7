import {
  Backup,
  ManagedClusters,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  ClusterAccess,
  compareManaged,
  managedFindings,
  readManagedClusters,
} from '@cluster-backup/engine';
import { ConfiguredClusters } from './ConfiguredClusters';
import { foreseen } from './fault';

const PATIENCE_MS = 15_000;
const MANAGING = ['admin', 'hybrid'];

/** What restoring a backup would do to the user clusters that its cluster manages. Takes no key of the archive. */
export async function managedClustersOf(
  clusters: ConfiguredClusters,
  backup: Backup,
): Promise<ManagedClusters> {
  if (!MANAGING.includes(backup.gdc?.type ?? '')) return { clusters: [] };
  const { summary } = await clusters.summary(backup);
  const { manages } = summary.description.cluster;
  if (!manages) {
    const [{ code, message, remedy }] = managedFindings(undefined);
    const state = 'The cluster was not asked.';
    return { clusters: [], fault: { code, message, state, remedy } };
  }
  try {
    const live = await liveClusters(clusters.access(backup.clusterRef));
    return { clusters: compareManaged(manages, live) };
  } catch (error) {
    const fault = foreseen(error);
    if (!fault) throw error;
    return { clusters: compareManaged(manages, undefined), fault };
  }
}

async function liveClusters(access: ClusterAccess) {
  if (!('resource' in access)) return undefined;
  return readManagedClusters(access, AbortSignal.timeout(PATIENCE_MS));
}
