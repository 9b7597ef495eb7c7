import { Point } from './engineOrder';

/** Every step that tells of its boundaries, in order. The first test compares it with what the engine tells. */
export const PREPARE = [
  'claim',
  'scratch',
  'stage-files',
  'receive',
  'build',
  'place',
];
export const COMMIT = [
  'park-control-plane',
  'park-etcd',
  'put-back-files',
  'swap-data',
  'return-etcd',
];
export const FORWARD = [
  'point-of-no-return',
  'return-api-servers',
  'return-controllers',
  'restart-kubelets',
  'finish',
  'release',
];
export const BACK = [
  'undo return-etcd',
  'undo swap-data',
  'undo put-back-files',
  'undo park-etcd',
  'undo park-control-plane',
  'sweep',
  'release',
];

/** A machine's release is one command with the journal's line in it: nothing lies between. */
export const pointsOf = (step: string): Point[] =>
  step === 'release' ? ['before', 'after'] : ['before', 'between', 'after'];
