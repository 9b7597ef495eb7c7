import { askApi } from '../../kubernetes';
import { Attempting, StepNode } from '../Step';
import { until } from './members';

/** Waits until the API servers that were ready before are ready again. */
export async function awaitApiServers(
  { plan, signal }: Attempting,
  nodes: StepNode[],
) {
  await until(
    'The API servers are not ready as before',
    signal,
    async patience => {
      await Promise.all(
        nodes
          .filter(node => plan.answered.apiServers.includes(node.plan.name))
          .map(node => askApi(node, 'own', patience, api => api.readyz())),
      );
    },
  );
}

/** Waits until every API server is ready, each by itself and through the address that kubelets use. */
export async function awaitEveryApiServer(
  { signal }: Attempting,
  nodes: StepNode[],
) {
  await until('The API servers are not ready', signal, async patience => {
    await Promise.all(
      nodes.flatMap(node => [
        askApi(node, 'own', patience, api => api.readyz()),
        askApi(node, 'front', patience, api => api.readyz()),
      ]),
    );
  });
}
