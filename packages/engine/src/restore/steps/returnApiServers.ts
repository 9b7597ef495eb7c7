import { Step } from '../Step';
import { awaitEveryApiServer } from './apiServers';
import { returnManifests } from './manifests';

export const returnApiServers: Step = {
  name: 'return-api-servers',
  title: 'Start the API servers',
  zone: 'forward',
  run: (attempting, node) =>
    returnManifests(attempting, node, 'return-api-servers', [
      node.plan.apiServer.manifestPath,
    ]),
  settled: (attempting, nodes) => awaitEveryApiServer(attempting, nodes),
};
