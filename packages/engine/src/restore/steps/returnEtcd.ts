import { Step } from '../Step';
import { awaitOneCluster, portsOf } from './members';
import { awaitGone, parkManifests, returnManifests } from './manifests';

export const returnEtcd: Step = {
  name: 'return-etcd',
  title: 'Start etcd on the restored data',
  zone: 'commit',
  run: (attempting, node) =>
    returnManifests(attempting, node, 'return-etcd', [
      node.plan.etcd.manifestPath,
    ]),
  settled: (attempting, nodes, verified) =>
    awaitOneCluster(attempting, nodes, verified),
  undo: (attempting, node) =>
    parkManifests(attempting, node, 'return-etcd', [
      node.plan.etcd.manifestPath,
    ]),
  async undone(attempting, nodes) {
    await Promise.all(
      nodes.map(node =>
        awaitGone(attempting, node, ['etcd'], portsOf(node.plan.etcd)),
      ),
    );
  },
};
