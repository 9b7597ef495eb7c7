import { etcdManifestsOf } from '../plan';
import { Attempting, Step, StepNode } from '../Step';
import { ask, awaitEtcdGone, awaitMembers, awaitServing } from './members';
import { parkManifests, returnManifests } from './manifests';

const SERVES_WITHIN_MS = 10_000;

/** All members stop before any data is moved: two old ones could still form a quorum. */
export const parkEtcd: Step = {
  name: 'park-etcd',
  title: 'Stop etcd',
  zone: 'commit',
  run: (attempting, node) =>
    parkManifests(
      attempting,
      node,
      'park-etcd',
      etcdManifestsOf(attempting.plan, node.plan),
    ),
  turns: leaderLast,
  turned: awaitEtcdGone,
  settled: awaitEtcdGone,
  undo: (attempting, node) =>
    returnManifests(
      attempting,
      node,
      'park-etcd',
      etcdManifestsOf(attempting.plan, node.plan),
    ),
  // As in `return-etcd` they start one after the other; one that does not serve soon keeps no other waiting.
  undoInTurn: true,
  async undone(attempting, node) {
    const signal = AbortSignal.timeout(SERVES_WITHIN_MS);
    await awaitServing({ ...attempting, signal }, node).catch(() => {});
  },
  recovered: (attempting, nodes) => awaitMembers(attempting, nodes),
};

/**
 * A leader that is told to stop hands over first, and waits seven seconds for a peer that is stopping as well; alone
 * it has nobody to wait for.
 */
async function leaderLast(
  { signal }: Attempting,
  nodes: StepNode[],
): Promise<StepNode[][]> {
  const leads = await Promise.all(
    nodes.map(node =>
      ask(node, signal, async member => {
        const { leader, memberId } = await member.status();
        return leader === memberId;
      }).catch(() => false),
    ),
  );
  return [
    nodes.filter((_, i) => !leads[i]),
    nodes.filter((_, i) => leads[i]),
  ].filter(turn => turn.length);
}
