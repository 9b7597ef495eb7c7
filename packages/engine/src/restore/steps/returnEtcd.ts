import { etcdManifestsOf, Plan } from '../plan';
import { Step, StepNode } from '../Step';
import { awaitEtcdGone, awaitOneCluster, awaitServing } from './members';
import { parkManifests, returnManifests } from './manifests';

/**
 * The members whose start is part of the outage. One that starts later is asked by none of these, hashes all it has and
 * has them do the same, which at a gigabyte takes seconds; the end of the restore waits for it.
 */
function isOfFirstMajority({ nodes }: Plan, node: StepNode): boolean {
  const majority = Math.floor(nodes.length / 2) + 1;
  return nodes.slice(0, majority).some(({ name }) => name === node.plan.name);
}

export const returnEtcd: Step = {
  name: 'return-etcd',
  title: 'Start etcd on the restored data',
  zone: 'commit',
  run: (attempting, node) =>
    returnManifests(
      attempting,
      node,
      'return-etcd',
      etcdManifestsOf(attempting.plan, node.plan),
    ),
  turns: async (_, nodes) => nodes.map(node => [node]),
  turned: async (attempting, [node]) => {
    if (isOfFirstMajority(attempting.plan, node)) {
      await awaitServing(attempting, node);
    }
  },
  settled: (attempting, nodes) =>
    awaitOneCluster(
      attempting,
      nodes.filter(node => isOfFirstMajority(attempting.plan, node)),
    ),
  undo: (attempting, node) =>
    parkManifests(
      attempting,
      node,
      'return-etcd',
      etcdManifestsOf(attempting.plan, node.plan),
    ),
  undone: (attempting, node) => awaitEtcdGone(attempting, [node]),
};
