import {
  ArchiveSummary,
  ClusterAccess,
  ClusterBackupError,
  compareManaged,
  managedFindings,
  readManagedClusters,
} from '@cluster-backup/engine';
import { tellFindings } from './terminal';

const PATIENCE_MS = 15_000;

/** Tells what a restore of a managing cluster does to each of its user clusters, before it begins. */
export async function tellManaged(
  cluster: ClusterAccess,
  summary: ArchiveSummary | undefined,
  signal: AbortSignal,
): Promise<void> {
  const manages = summary?.description.cluster.manages;
  if (!manages || !('resource' in cluster)) return;
  const live = await readManagedClusters(
    cluster,
    AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
  ).catch(error => {
    signal.throwIfAborted();
    // The restore asks a node as well, and tells again.
    if (error instanceof ClusterBackupError) return undefined;
    throw error;
  });
  tellFindings(managedFindings(compareManaged(manages, live)));
}
