import { Step } from '../Step';
import { awaitMembers, portsOf } from './members';
import { awaitGone, parkManifests, returnManifests } from './manifests';

/** All members stop before any data is moved: two old ones could still form a quorum. */
export const parkEtcd: Step = {
  name: 'park-etcd',
  title: 'Stop etcd',
  zone: 'commit',
  run: (attempting, node) =>
    parkManifests(attempting, node, 'park-etcd', [node.plan.etcd.manifestPath]),
  async settled(attempting, nodes) {
    await Promise.all(
      nodes.map(node =>
        awaitGone(attempting, node, ['etcd'], portsOf(node.plan.etcd)),
      ),
    );
  },
  undo: (attempting, node) =>
    returnManifests(attempting, node, 'park-etcd', [
      node.plan.etcd.manifestPath,
    ]),
  recovered: (attempting, nodes) => awaitMembers(attempting, nodes),
};
