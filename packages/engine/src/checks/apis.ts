import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { askApi } from '../kubernetes';
import { ControlPlaneNode } from '../layout';
import { Check, CheckSubject, Finding, ofEach } from './Check';

const PATIENCE_MS = 5_000;

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
        await ready(node, signal);
        return [];
      },
    );
    // An API that is not ready has no list that could be trusted.
    return each.length ? each : workersReady(subject);
  },
};

async function ready(node: ControlPlaneNode, signal: AbortSignal) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const either = AbortSignal.any([signal, patience]);
  try {
    await Promise.all([
      askApi(node, 'own', either, api => api.readyz()),
      askApi(node, 'front', either, api => api.readyz()),
    ]);
  } catch (error) {
    if (!patience.aborted || error instanceof ClusterBackupError) throw error;
    throw new ClusterBackupError({
      code: 'api-unreachable',
      message: `The API server of ${node.machine.name} (or the front at ${
        node.frontServer
      }) gave no answer within ${PATIENCE_MS / 1000} seconds.`,
      state: NOTHING_CHANGED,
      remedy: `Look at the kube-apiserver container on ${node.machine.name}: crictl ps -a, crictl logs.`,
      details: { machine: node.machine.name, front: node.frontServer },
    });
  }
}

async function workersReady({
  nodes: [node],
  signal,
}: CheckSubject): Promise<Finding[]> {
  if (!node) return [];
  const listed = await askApi(node, 'own', signal, api => api.nodes());
  return listed
    .filter(({ ready: isReady }) => !isReady)
    .map(({ name, reason }) => ({
      check: apis.id,
      level: 'reservation',
      code: 'node-not-ready',
      machine: name,
      message: `The node ${name} is not Ready: ${reason}.`,
      remedy: `Look at its kubelet: kubectl describe node ${name}.`,
    }));
}
