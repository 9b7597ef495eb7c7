import { Finding } from '../checks';
import { ConnectedCluster } from '../cluster';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

/**
 * The cluster without machines that a person says are dead and stay powered off. Each of them keeps a member of before:
 * as many as could elect a leader among themselves are never left out, or the old cluster might live on beside the
 * restored one.
 *
 * @throws ClusterBackupError `left-out-unknown`, `left-out-answers`, `left-out-majority`
 */
export function leaveOut(
  cluster: ConnectedCluster,
  names: readonly string[] = [],
): ConnectedCluster {
  if (!names.length) return cluster;
  const { access, outcomes } = cluster;
  const { controlPlane } = access;
  for (const name of names) {
    if (!controlPlane.some(machine => machine.name === name)) {
      throw refusal('left-out-unknown', name, {
        message: `${name} cannot be left out: no control-plane node of ${access.name} has that name.`,
        remedy: `Control-plane nodes are ${controlPlane
          .map(machine => machine.name)
          .join(', ')}; a worker need not answer.`,
      });
    }
    if (outcomes.some(o => o.access.name === name && o.machine)) {
      throw refusal('left-out-answers', name, {
        message: `${name} is to be left out as powered off, but it answers.`,
        remedy: `Power ${name} off and see to it that it stays off, or restore with it.`,
      });
    }
  }
  const quorum = Math.floor(controlPlane.length / 2) + 1;
  if (names.length >= quorum) {
    throw refusal('left-out-majority', names[0], {
      message: `${names.join(' and ')} cannot be left out: ${names.length} of ${
        controlPlane.length
      } members could go on by themselves if one of these machines is not off after all.`,
      remedy: `Bring back as many that no more than ${
        quorum - 1
      } are left out, even empty: their files are put back.`,
    });
  }
  return without(cluster, names);
}

/** The cluster as if it had no such machines. */
export function without(
  cluster: ConnectedCluster,
  names: readonly string[],
): ConnectedCluster {
  const { access, outcomes } = cluster;
  const isIn = ({ name }: { name: string }) => !names.includes(name);
  return {
    ...cluster,
    access: { ...access, controlPlane: access.controlPlane.filter(isIn) },
    outcomes: outcomes.filter(outcome => isIn(outcome.access)),
  };
}

/** What is left to do about machines that were left out. */
export function leftOutFindings(names: readonly string[]): Finding[] {
  return names.map(machine => ({
    check: 'left-out',
    level: 'reservation',
    code: 'node-left-out',
    machine,
    message: `${machine} was left out: the restored cluster has no member on it, and its Node is still there.`,
    remedy: `Remove the Node (kubectl delete node). Before ${machine} is powered on again take it off the network or reset it (kubeadm reset), then join it anew (kubeadm join --control-plane).`,
  }));
}

function refusal(
  code: string,
  machine: string,
  { message, remedy }: { message: string; remedy: string },
) {
  return new ClusterBackupError({
    code,
    message,
    state: NOTHING_CHANGED,
    remedy,
    details: { machine },
  });
}
