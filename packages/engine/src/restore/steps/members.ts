import { once } from 'node:events';
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectMember, EtcdMember } from '../../etcd';
import { ClusterBackupError } from '../../errors';
import { ControlPlaneNode } from '../../layout';
import { replacedOn, VerifiedArchive } from '../plan';
import { Attempting, StepNode } from '../Step';
import { awaitGone } from './manifests';

const WITHIN_MS = 120_000;
/** One try: what does not answer at once is asked again over a new connection. */
const TRY_MS = 3_000;

/** Waits until a member's container is gone and the ports closed that it listens on. */
export async function awaitEtcdGone(attempting: Attempting, nodes: StepNode[]) {
  const { plan } = attempting;
  await Promise.all(
    nodes.map(node => {
      const replaced = replacedOn(plan, node.plan);
      const ports = replaced
        .flatMap(({ clientUrl, peerUrls }) => [clientUrl, peerUrls[0]])
        .map(url => Number(new URL(url).port));
      const pods = ['etcd', 'etcd-events'].slice(0, replaced.length);
      return awaitGone(attempting, node, pods, ports);
    }),
  );
}

/** Asks a member something over a connection of its own. */
export async function ask<T>(
  node: ControlPlaneNode,
  signal: AbortSignal,
  question: (member: EtcdMember) => Promise<T>,
): Promise<T> {
  const member = await connectMember(node, { signal });
  try {
    return await question(member);
  } finally {
    await member.close();
  }
}

/** Waits until the members that answered before the restore answer again. */
export async function awaitMembers(
  { plan, signal }: Attempting,
  nodes: StepNode[],
) {
  await until(
    'The etcd members do not answer as before',
    signal,
    async patience => {
      await Promise.all(
        nodes
          .filter(node => plan.answered.members.includes(node.plan.name))
          .map(node =>
            ask(node, patience, async member => {
              await member.status();
              if (plan.answered.quorum) await member.linearizableRead();
            }),
          ),
      );
    },
  );
}

/**
 * Waits until these members are of one cluster, know all that the plan names, and take writes. A single restored
 * member can look healthy alone, and two restored ones beside an old one as well: only cluster id and count tell.
 *
 * @throws ClusterBackupError `not-as-expected`
 */
export async function awaitOneCluster(
  { plan, signal }: Attempting,
  nodes: StepNode[],
) {
  // Not by its name, which a member tells when it serves for the first time.
  const wanted = plan.nodes.map(({ etcd }) => etcd.peerUrls[0]).sort();
  await until(
    'The restored etcd members are not one cluster',
    signal,
    async patience => {
      const answers = await Promise.all(
        nodes.map(node =>
          ask(node, patience, async member => {
            await member.linearizableRead();
            return {
              node: node.plan.name,
              members: (await member.members()).flatMap(m => m.peerUrls).sort(),
              clusterId: (await member.status()).clusterId,
            };
          }),
        ),
      );
      for (const { node, members, clusterId } of answers) {
        if (members.join() !== wanted.join()) {
          throw new Error(`${node} knows the members ${members.join(', ')}`);
        }
        if (clusterId !== answers[0].clusterId) {
          throw new Error(`${node} is of another cluster`);
        }
      }
    },
  );
}

/** Waits until the etcd that keeps Events is one cluster again, where it was rebuilt. */
export async function awaitEvents(attempting: Attempting, nodes: StepNode[]) {
  const { plan } = attempting;
  if (!plan.rebuildsEvents) return;
  const ofEvents = <T extends Pick<ControlPlaneNode, 'etcd' | 'etcdEvents'>>(
    node: T,
  ) => (node.etcdEvents ? [{ ...node, etcd: node.etcdEvents }] : []);
  await awaitOneCluster(
    { ...attempting, plan: { ...plan, nodes: plan.nodes.flatMap(ofEvents) } },
    nodes.flatMap(ofEvents),
  );
}

/**
 * Compares what all members hold, at one revision after the restored one.
 *
 * @throws ClusterBackupError `not-as-expected`
 */
export async function compareData(
  { signal }: Attempting,
  nodes: StepNode[],
  verified: VerifiedArchive,
) {
  const restored = verified.revision + verified.bump;
  await until(
    'The restored etcd members do not hold the same data',
    signal,
    async () => {
      const revisions = await Promise.all(
        nodes.map(node =>
          ask(node, signal, async member => (await member.status()).revision),
        ),
      );
      const revision = Math.min(...revisions);
      if (revision < restored) {
        throw new Error(`a member stands at ${revision}, not at ${restored}`);
      }
      const hashes = await Promise.all(
        nodes.map(node =>
          ask(node, signal, member =>
            // The restored revision is marked as compacted, and etcd hashes no compacted revision by its number.
            member.hashKV(revision > restored ? revision : undefined),
          ),
        ),
      );
      hashes.forEach((hash, i) => {
        if (
          hash.hash !== hashes[0].hash ||
          hash.compactRevision !== hashes[0].compactRevision
        ) {
          throw new Error(
            `the data of ${nodes[i].plan.name} hashes to ${hash.hash}, that of ${nodes[0].plan.name} to ${hashes[0].hash}`,
          );
        }
      });
    },
  );
}

/**
 * Waits until a member serves, alone or not. kubeadm has members compare themselves with their peers when they start;
 * two that start in the same moment wait for each other for seconds, one after the other they do not.
 */
export async function awaitServing({ signal }: Attempting, node: StepNode) {
  const { etcd, machine } = node;
  const { hostname, port } = new URL(etcd.metricsUrl ?? etcd.clientUrl);
  await until(
    `etcd on ${node.plan.name} does not serve`,
    signal,
    async patience => {
      const connection = await machine.dial(hostname, Number(port));
      try {
        if (etcd.metricsUrl) await answersHttp(connection, patience);
      } finally {
        connection.destroy();
      }
    },
  );
}

/** Any answer will do: older versions know no `/livez`. */
async function answersHttp(connection: Duplex, patience: AbortSignal) {
  const call = request({
    path: '/livez',
    createConnection: () => connection,
    signal: patience,
  });
  call.end();
  const [response] = await once(call, 'response');
  response.resume();
}

/** Tries until it succeeds; the last failure is told when time is up. */
export async function until(
  complaint: string,
  signal: AbortSignal,
  attempt: (patience: AbortSignal) => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  for (;;) {
    try {
      return await attempt(
        AbortSignal.any([signal, AbortSignal.timeout(TRY_MS)]),
      );
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        const last = (error as Error).message;
        throw new ClusterBackupError({
          code: 'not-as-expected',
          message: `${complaint} after ${WITHIN_MS / 1000} seconds: ${last}.`,
          state: 'The manifests are in place; the pods may still be starting.',
          remedy:
            'Look at the pods on the machines named (crictl ps -a, crictl logs).',
          details: { last },
          cause: error,
        });
      }
      await sleep(100, undefined, { signal });
    }
  }
}
