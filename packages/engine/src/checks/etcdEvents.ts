import { connectMember } from '../etcd';
import { ControlPlaneNode } from '../layout';
import { Check, Finding } from './Check';

const PATIENCE_MS = 5_000;
export const EVENTS_UNWELL = 'etcd-events-unwell';

/** The etcd that keeps Events is in no backup; sick, it keeps API servers from writing Events and a restore renews it. */
export const etcdEvents: Check = {
  id: 'etcd-events',
  title: 'The etcd that keeps Events is well',
  async run({ nodes, signal, purpose }) {
    const asked = await Promise.all(
      nodes
        .filter(node => node.etcdEvents)
        .map(async node => ({ node, why: await whyUnwell(node, signal) })),
    );
    return asked.flatMap(({ node, why }): Finding[] =>
      why === undefined
        ? []
        : [
            {
              check: this.id,
              level: 'reservation',
              code: EVENTS_UNWELL,
              machine: node.machine.name,
              message: `etcd-events on ${node.machine.name} does not answer as it should: ${why}`,
              remedy:
                purpose === 'restore'
                  ? 'Its members are made anew, empty: Events of the last hour are gone.'
                  : `Look at its container on ${node.machine.name} (crictl ps -a, crictl logs). Events are in no backup; a restore makes its members anew.`,
            },
          ],
    );
  },
};

async function whyUnwell(
  node: ControlPlaneNode,
  signal: AbortSignal,
): Promise<string | undefined> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const member = await connectMember(
      { ...node, etcd: node.etcdEvents! },
      { signal: patience },
    );
    try {
      await member.linearizableRead();
      return undefined;
    } finally {
      await member.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    return patience.aborted
      ? `no answer within ${PATIENCE_MS / 1000} seconds.`
      : (error as Error).message;
  }
}
