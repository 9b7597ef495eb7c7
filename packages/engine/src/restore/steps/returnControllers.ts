import { controllersOf } from '../plan';
import { Step } from '../Step';
import { returnManifests } from './manifests';

export const returnControllers: Step = {
  name: 'return-controllers',
  title: 'Start controller managers and schedulers',
  zone: 'forward',
  run: (attempting, node) =>
    returnManifests(
      attempting,
      node,
      'return-controllers',
      controllersOf(node.plan),
    ),
};
