import { ClusterBackupError, restated } from '../errors';
import { GdcAccess, gdcMachines, readGdcCluster } from '../gdc';
import { ClusterAccess, ClusterMachines } from './ClusterAccess';

/** Where machines are looked up when the API server that holds their Cluster resource is gone. */
export type LastResort = (
  access: GdcAccess,
  signal: AbortSignal,
) => Promise<ClusterMachines>;

/**
 * The machines of a cluster: as they are configured, or as the Cluster resource and Secrets have them now, or else as an
 * archive has them.
 *
 * @throws ClusterBackupError those of {@link readGdcCluster} and of the last resort, `gdc-ssh-key-missing`
 */
export async function lookUpMachines(
  access: ClusterAccess,
  options: { signal?: AbortSignal; lastResort?: LastResort },
): Promise<ClusterMachines> {
  if (!('resource' in access)) return access;
  const machines = await machinesOf(access, options);
  return { ...machines, restoreToolFile: access.restoreToolFile };
}

async function machinesOf(
  access: GdcAccess,
  options: { signal?: AbortSignal; lastResort?: LastResort },
): Promise<ClusterMachines> {
  const { signal = new AbortController().signal, lastResort } = options;
  try {
    return await machinesNow(access, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClusterBackupError)) throw error;
    if (lastResort) return lastResort(access, signal);
    throw restated(
      error,
      error.state,
      `${error.remedy} Where it is gone, give the archive and what opens it: both have the machines and their key in them.`,
    );
  }
}

async function machinesNow(
  access: GdcAccess,
  signal: AbortSignal,
): Promise<ClusterMachines> {
  const cluster = await readGdcCluster(access, signal);
  const { sshKeyFrom, ...machines } = gdcMachines(cluster);
  const { name, layout } = access;
  return { name, layout, ...machines, gdc: { ...cluster, sshKeyFrom } };
}
