import { Step } from '../Step';
import { confirmRestored } from './confirmRestored';
import { parkControlPlane } from './parkControlPlane';
import { parkEtcd } from './parkEtcd';
import { passPointOfNoReturn } from './passPointOfNoReturn';
import { putBackFiles } from './putBackFiles';
import { restartKubelets } from './restartKubelets';
import { returnApiServers } from './returnApiServers';
import { returnControllers } from './returnControllers';
import { returnEtcd } from './returnEtcd';
import { swapData } from './swapData';
import { weighBump } from './weighBump';

/** The steps of the commit, in their order. The outage lasts from the first to `return-api-servers`. */
export const commitSteps: Step[] = [
  parkControlPlane,
  weighBump,
  parkEtcd,
  putBackFiles,
  swapData,
  returnEtcd,
  passPointOfNoReturn,
  returnApiServers,
  returnControllers,
  restartKubelets,
  confirmRestored,
];
