import {
  collectClusterFacts,
  connectMember,
  EtcdMember,
  Fitness,
  judgeMembers,
  MemberFinding,
  noFitMember,
} from '../etcd';
import { ClusterBackupError } from '../errors';
import { ControlPlaneNode } from '../layout';
import { Check, Finding, findingOf } from './Check';

/** Asks the members of all nodes about themselves and judges them. */
export async function examineMembers(
  nodes: ControlPlaneNode[],
  signal: AbortSignal,
): Promise<Fitness> {
  const members = await Promise.all(
    nodes.map(async node => {
      try {
        const member = await connectMember(node, { signal });
        return { name: node.etcd.name, member };
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        return { name: node.etcd.name, member: error };
      }
    }),
  );
  try {
    return judgeMembers(await collectClusterFacts(members, signal));
  } finally {
    await Promise.all(
      members.map(({ member }) => (member as Partial<EtcdMember>).close?.()),
    );
  }
}

/** One fit member is enough for a backup; a restore does not ask, for it may be the reason for it. */
export const members: Check = {
  id: 'members',
  title: 'The etcd members are fit and agree',
  async run(subject) {
    const { purpose, nodes } = subject;
    const fitness = await subject.fitness;
    // Why no node could be read has been told.
    if (!fitness || !nodes.length) return [];
    const reservation = (finding: MemberFinding): Finding => ({
      check: this.id,
      level: 'reservation',
      code: finding.id,
      machine: finding.member,
      message: finding.message,
      remedy: finding.remedy,
    });
    if (purpose === 'backup' && !fitness.chosen) {
      return [findingOf(noFitMember(fitness), this.id, 'refusal')];
    }
    return [...fitness.refusals, ...fitness.reservations].map(reservation);
  },
};
