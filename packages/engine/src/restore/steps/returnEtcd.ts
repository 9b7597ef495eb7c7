import { Step } from '../Step';
import { awaitOneCluster, awaitEtcdGone, awaitServing } from './members';
import { parkManifests, returnManifests } from './manifests';

export const returnEtcd: Step = {
  name: 'return-etcd',
  title: 'Start etcd on the restored data',
  zone: 'commit',
  run: (attempting, node) =>
    returnManifests(attempting, node, 'return-etcd', [
      node.plan.etcd.manifestPath,
    ]),
  turns: async (_, nodes) => nodes.map(node => [node]),
  turned: (attempting, [node]) => awaitServing(attempting, node),
  settled: (attempting, nodes) => awaitOneCluster(attempting, nodes),
  undo: (attempting, node) =>
    parkManifests(attempting, node, 'return-etcd', [
      node.plan.etcd.manifestPath,
    ]),
  undone: (attempting, node) => awaitEtcdGone(attempting, [node]),
};
