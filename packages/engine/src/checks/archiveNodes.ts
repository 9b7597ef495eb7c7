import { DescribedNode } from '../archive';
import { fingerprintOf } from '../machine/hostKeys';
import { Check, CheckSubject, Finding } from './Check';

/** A restore makes the members of the archive, on the machines of now: it refuses where these are others. */
export const archiveNodes: Check = {
  id: 'archive-nodes',
  title: 'The control-plane nodes are those of the last backup',
  async run(subject) {
    const { lastBackup, cluster } = subject;
    if (!lastBackup) return [];
    const added = cluster.access.controlPlane.filter(
      ({ name }) => !lastBackup.nodes.some(node => node.name === name),
    );
    return [
      ...lastBackup.nodes.flatMap(node => changed(node, subject)),
      ...added.map(({ name }) =>
        finding(
          name,
          'archive-node-added',
          `The last backup has nothing of ${name}: it was no control-plane node then, or could not be read.`,
          'Back up again: without its files it cannot be made anew from a backup.',
        ),
      ),
    ];
  },
};

function changed(
  node: DescribedNode,
  { cluster, nodes }: CheckSubject,
): Finding[] {
  const { name } = node;
  const outcome = cluster.outcomes.find(
    ({ access, role }) => access.name === name && role === 'control-plane',
  );
  if (!outcome) {
    return [
      finding(
        name,
        'archive-node-gone',
        `${name} is no control-plane node any more, and is one in the last backup: a restore of it is refused.`,
        'Back up again, so that the last backup is of the nodes of now.',
      ),
    ];
  }
  return [
    ...moved(node, outcome.access.address, nodes),
    ...rekeyed(node, outcome.machine?.hostKey),
  ];
}

function moved(
  { name, address, etcd }: DescribedNode,
  addressNow: string,
  nodes: CheckSubject['nodes'],
): Finding[] {
  const [peerUrl] = etcd.peerUrls;
  const [peerUrlNow] =
    nodes.find(({ machine }) => machine.name === name)?.etcd.peerUrls ??
    etcd.peerUrls;
  const [then, now] =
    peerUrl === peerUrlNow ? [address, addressNow] : [peerUrl, peerUrlNow];
  if (then === now) return [];
  const isMember = peerUrl !== peerUrlNow;
  return [
    finding(
      name,
      'archive-node-moved',
      `${name} was at ${then} when the last backup was taken, and is at ${now}${
        isMember ? ': a restore of that backup is refused.' : '.'
      }`,
      'Back up again, so that the last backup is of the nodes of now.',
    ),
  ];
}

/** A machine may prove itself with keys of several types: only those of one type can be compared. */
function rekeyed(
  { name, hostKey }: DescribedNode,
  hostKeyNow: string | undefined,
): Finding[] {
  const isOfOneType = hostKey.split(' ')[0] === hostKeyNow?.split(' ')[0];
  if (!hostKeyNow || !isOfOneType || hostKey === hostKeyNow) return [];
  return [
    finding(
      name,
      'archive-host-key-replaced',
      `The host key of ${name} is ${fingerprintOf(
        hostKeyNow,
      )}, and ${fingerprintOf(
        hostKey,
      )} in the last backup: who restores with the archive alone is refused by what it knows of ${name}.`,
      `Make sure that ${name} is the machine that it was, then back up again.`,
    ),
  ];
}

function finding(
  machine: string,
  code: string,
  message: string,
  remedy: string,
): Finding {
  const { id: check } = archiveNodes;
  return { check, level: 'reservation', code, machine, message, remedy };
}
