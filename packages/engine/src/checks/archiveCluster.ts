import { Description } from '../archive';
import { askApi } from '../kubernetes';
import { Check, CheckSubject, Finding } from './Check';

/** Data of one cluster under the authority of another is what nothing can log in to. */
export const archiveCluster: Check = {
  id: 'archive-cluster',
  title: 'The last backup is of this cluster, and of its CA',
  async run(subject) {
    const { lastBackup, nodes } = subject;
    if (!lastBackup) return [];
    const { caFingerprint } = lastBackup.cluster;
    const strangers = nodes
      .filter(node => node.caFingerprint !== caFingerprint)
      .map(({ machine }) => machine.name);
    return [
      ...(strangers.length ? [caDiffers(strangers)] : []),
      ...(await otherCluster(subject, lastBackup)),
    ];
  },
};

function caDiffers(machines: string[]): Finding {
  const [machine] = machines;
  return {
    check: archiveCluster.id,
    level: 'reservation',
    code: 'archive-ca-differs',
    machine: machines.length === 1 ? machine : undefined,
    message: `The certificate authority of the cluster on ${machines.join(
      ' and ',
    )} is not the one of the last backup.`,
    remedy:
      'Where it was replaced, back up again; until then only a restore with files goes back to the last backup. Where nobody replaced it, look whether these are the machines of this cluster.',
  };
}

/** Where no API server answers, that is told by another check. */
async function otherCluster(
  { nodes, signal }: CheckSubject,
  { cluster: { kubeSystemUid, name } }: Description,
): Promise<Finding[]> {
  if (kubeSystemUid === undefined || !nodes.length) return [];
  const present = await Promise.any(
    nodes.map(node => askApi(node, 'own', signal, api => api.kubeSystemUid())),
  ).catch(() => undefined);
  signal.throwIfAborted();
  if (present === undefined || present === kubeSystemUid) return [];
  return [
    {
      check: archiveCluster.id,
      level: 'reservation',
      code: 'archive-of-another-cluster',
      message: `The last backup is of another cluster that was named ${name}: the namespace kube-system has another UID by now.`,
      remedy:
        'Back up again. Where nobody made this cluster anew, look whether its machines are the right ones.',
    },
  ];
}
