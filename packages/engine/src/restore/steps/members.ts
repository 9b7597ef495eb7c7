import { setTimeout as sleep } from 'node:timers/promises';
import { connectMember, EtcdMember } from '../../etcd';
import { ClusterBackupError } from '../../errors';
import { ControlPlaneNode, EtcdInstance } from '../../layout';
import { VerifiedArchive } from '../plan';
import { Attempting, StepNode } from '../Step';

const MEMBERS_WITHIN_MS = 120_000;

/** TCP ports that a member listens on: closed when it is gone. */
export function portsOf(etcd: EtcdInstance): number[] {
  return [etcd.clientUrl, etcd.peerUrls[0]].map(url =>
    Number(new URL(url).port),
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
  await until('The etcd members do not answer as before', signal, async () => {
    await Promise.all(
      nodes
        .filter(node => plan.answered.members.includes(node.plan.name))
        .map(node =>
          ask(node, signal, async member => {
            await member.status();
            if (plan.answered.quorum) await member.linearizableRead();
          }),
        ),
    );
  });
}

/**
 * Waits until all members are of one cluster, hold the same data and take writes. A single restored member can look
 * healthy alone, and two restored ones beside an old one as well: only the cluster id, the count and the hash tell.
 *
 * @throws ClusterBackupError `members-not-one`
 */
export async function awaitOneCluster(
  { plan, signal }: Attempting,
  nodes: StepNode[],
  verified: VerifiedArchive,
) {
  await until(
    'The restored etcd members are not one cluster',
    signal,
    async () => {
      const wanted = plan.nodes.map(node => node.etcd.name).sort();
      const answers = await Promise.all(
        nodes.map(node =>
          ask(node, signal, async member => {
            await member.linearizableRead();
            return {
              node: node.plan.name,
              status: await member.status(),
              names: (await member.members()).map(m => m.name).sort(),
            };
          }),
        ),
      );
      for (const { node, names, status } of answers) {
        if (names.join() !== wanted.join()) {
          throw new Error(`${node} knows the members ${names.join(', ')}`);
        }
        if (status.clusterId !== answers[0].status.clusterId) {
          throw new Error(`${node} is of another cluster`);
        }
      }
      await compareHashes(
        signal,
        nodes,
        Math.min(...answers.map(answer => answer.status.revision)),
        verified,
      );
    },
  );
}

async function compareHashes(
  signal: AbortSignal,
  nodes: StepNode[],
  revision: number,
  verified: VerifiedArchive,
) {
  const restored = verified.revision + verified.bump;
  if (revision < restored) {
    throw new Error(`a member stands at ${revision}, not at ${restored}`);
  }
  const hashes = await Promise.all(
    nodes.map(node =>
      ask(node, signal, member =>
        // The restored revision itself is marked as compacted, and etcd hashes no compacted revision by its number.
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
}

/** Tries until it succeeds; the last failure is told when time is up. */
export async function until(
  complaint: string,
  signal: AbortSignal,
  attempt: () => Promise<void>,
): Promise<void> {
  const deadline = Date.now() + MEMBERS_WITHIN_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > deadline) {
        throw new ClusterBackupError({
          code: 'not-as-expected',
          message: `${complaint} after ${MEMBERS_WITHIN_MS / 1000} seconds: ${
            (error as Error).message
          }.`,
          state: 'The manifests are in place; the pods may still be starting.',
          remedy: 'Look at the pods on the machines named (crictl ps -a, crictl logs).',
          details: { last: (error as Error).message },
          cause: error,
        });
      }
      await sleep(200, undefined, { signal });
    }
  }
}
