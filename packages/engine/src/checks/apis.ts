import { askApi } from '../kubernetes';
import { Check, CheckSubject, Finding, ofEach } from './Check';

/** A cluster whose API answers may need no restore; one whose API does not is told of, whatever is planned. */
export const apis: Check = {
  id: 'apis',
  title: 'The API servers are ready, alone and behind their front',
  async run(subject) {
    const { nodes, signal } = subject;
    const each = await ofEach(
      nodes.map(node => ({ name: node.machine.name, node })),
      () => 'reservation',
      this.id,
      async ({ node }) => {
        await askApi(node, 'own', signal, api => api.readyz());
        await askApi(node, 'front', signal, api => api.readyz());
        return [];
      },
    );
    return [...each, ...(await workersReady(subject))];
  },
};

async function workersReady({
  nodes,
  signal,
}: CheckSubject): Promise<Finding[]> {
  const listed = await Promise.all(
    nodes.map(node =>
      askApi(node, 'own', signal, api => api.nodes()).catch(() => undefined),
    ),
  );
  const answer = listed.find(Boolean) ?? [];
  return answer
    .filter(node => !node.ready)
    .map(node => ({
      check: apis.id,
      level: 'reservation',
      code: 'node-not-ready',
      machine: node.name,
      message: `The node ${node.name} is not Ready: ${node.reason}.`,
      remedy: `Look at its kubelet: kubectl describe node ${node.name}.`,
    }));
}
