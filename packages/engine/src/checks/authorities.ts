import { ControlPlaneNode } from '../layout';
import { Check, Finding } from './Check';

/** A node whose authority is another is of another cluster, or stands in the middle of a change of authorities. */
export const authorities: Check = {
  id: 'authorities',
  title: 'All control-plane nodes have the same certificate authorities',
  async run({ nodes }) {
    return [
      ...strangers(nodes, 'the cluster', node => node.caFingerprint),
      ...strangers(nodes, 'etcd', node => node.fingerprints.etcdCa),
    ];
  },
};

function strangers(
  nodes: ControlPlaneNode[],
  whose: string,
  fingerprintOf: (node: ControlPlaneNode) => string,
): Finding[] {
  const sharing = (fingerprint: string) =>
    nodes.filter(node => fingerprintOf(node) === fingerprint);
  const [most] = nodes
    .map(fingerprintOf)
    .sort((a, b) => sharing(b).length - sharing(a).length);
  return nodes
    .filter(node => fingerprintOf(node) !== most)
    .map(({ machine: { name } }) => ({
      check: authorities.id,
      level: 'refusal',
      code: 'ca-differs',
      machine: name,
      message: `The certificate authority of ${whose} on ${name} is not the one on ${sharing(
        most,
      )
        .map(({ machine }) => machine.name)
        .join(' and ')}.`,
      remedy: `Check that ${name} is a machine of this cluster. Where its authority is being replaced, finish that on every node first; to go back to the authority of a backup, restore with files.`,
    }));
}
