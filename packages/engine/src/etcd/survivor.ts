import { ClusterBackupError } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { DataAtRest, readDataAtRest } from './dataAtRest';
import { Fitness } from './fitness';

/** A member whose data is there though there is no quorum. @public */
export interface Survivor {
  /** Its member name. */
  member: string;
  /** The last revision that it has. */
  revision: number;
  /** Where its data lies when it does not run. */
  data?: DataAtRest;
}

/**
 * The survivor that a quorum's last writes are with most likely: what a member applied is committed, so the one with the
 * highest revision has all that the others have. Of two at the same revision the one that runs: nothing of it is in its
 * write-ahead log only.
 */
export function chooseSurvivor(survivors: Survivor[]): Survivor | undefined {
  return [...survivors].sort(
    (a, b) =>
      b.revision - a.revision ||
      Number(Boolean(a.data)) - Number(Boolean(b.data)),
  )[0];
}

/**
 * Looks for a member to take a snapshot from though there is no quorum: among those that answer, and in the data of those
 * that were stopped. A member that is known to be bad is none.
 *
 * @returns the best of them, if any, and why the data of a silent member is no use
 */
export async function findSurvivor(
  nodes: ControlPlaneNode[],
  {
    hasQuorum,
    unconfirmed,
    silent,
  }: Pick<Fitness, 'hasQuorum' | 'unconfirmed' | 'silent'>,
  signal: AbortSignal,
): Promise<{
  survivor?: Survivor;
  /** Every member whose data is there, running or not. */
  survivors: Survivor[];
  unusable: ClusterBackupError[];
}> {
  const unusable: ClusterBackupError[] = [];
  if (hasQuorum) return { survivors: [], unusable };
  const atRest = await Promise.all(
    nodes
      .filter(({ etcd }) => silent.includes(etcd.name))
      .map(async ({ machine, etcd }): Promise<Survivor[]> => {
        try {
          const folder = `${etcd.dataDir}/member`;
          const data = await readDataAtRest(machine, folder, signal);
          return data
            ? [{ member: etcd.name, revision: data.revision, data }]
            : [];
        } catch (error) {
          if (!(error instanceof ClusterBackupError)) throw error;
          unusable.push(error);
          return [];
        }
      }),
  );
  const survivors = [...unconfirmed, ...atRest.flat()];
  return { survivor: chooseSurvivor(survivors), survivors, unusable };
}
