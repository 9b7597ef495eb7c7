import { Step } from '../Step';
import { awaitApiServers } from './apiServers';
import { awaitGone, parkManifests, returnManifests } from './manifests';
import { controllersOf, NodePlan } from '../plan';

const manifestsOf = (plan: NodePlan) => [
  plan.apiServer.manifestPath,
  ...controllersOf(plan),
];

/** All API servers stop before any etcd does: none may see one member's past and another's present. */
export const parkControlPlane: Step = {
  name: 'park-control-plane',
  title: 'Stop API servers, controller managers and schedulers',
  zone: 'commit',
  run: (attempting, node) =>
    parkManifests(
      attempting,
      node,
      'park-control-plane',
      manifestsOf(node.plan),
    ),
  async settled(attempting, nodes) {
    await Promise.all(
      nodes.map(node =>
        awaitGone(
          attempting,
          node,
          ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
          [node.plan.apiServer.port],
        ),
      ),
    );
  },
  undo: (attempting, node) =>
    returnManifests(
      attempting,
      node,
      'park-control-plane',
      manifestsOf(node.plan),
    ),
  recovered: (attempting, nodes) => awaitApiServers(attempting, nodes),
};
