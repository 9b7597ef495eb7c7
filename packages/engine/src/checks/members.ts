import {
  collectClusterFacts,
  connectMember,
  EtcdMember,
  Fitness,
  judgeMembers,
  MemberFinding,
  noFitMember,
  Survivor,
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
    const told = [...fitness.refusals, ...fitness.reservations].map(
      reservation,
    );
    if (purpose !== 'backup' || fitness.chosen || subject.withoutMembers) {
      return told;
    }
    const found = await subject.survivor;
    if (found?.survivor) {
      return [withoutQuorum(found.survivor, this.id), ...told];
    }
    const refusal = findingOf(noFitMember(fitness), this.id, 'refusal');
    if (found) {
      const unusable = found.unusable.map(error =>
        findingOf(error, this.id, 'refusal'),
      );
      return [refusal, ...unusable];
    }
    return [fitness.hasQuorum ? refusal : namingTheWayOut(refusal)];
  },
};

/** What a backup that no quorum confirms may lack. */
function withoutQuorum(
  { member, revision, data }: Survivor,
  check: string,
): Finding {
  const message = data
    ? `etcd has no quorum. The backup is of the data that the stopped member ${member} left (${data.path}, revision ${revision}). What others may have written later is not in it; where etcd was killed rather than stopped, neither are the writes of its last tenth of a second (10,000 at most), which are in its write-ahead log only.`
    : `etcd has no quorum. The backup is of the member ${member} as it stands alone, at revision ${revision}; nobody could confirm that no other member had later writes.`;
  return {
    check,
    level: 'reservation',
    code: 'etcd-without-quorum',
    machine: member,
    message,
    remedy:
      'Restore it to have a quorum again. Do not take it for a backup of a healthy cluster.',
  };
}

function namingTheWayOut(refusal: Finding): Finding {
  return {
    ...refusal,
    remedy: `${refusal.remedy} Where no quorum will come back, back up the member that has the latest data, running or stopped: backup --without-quorum, or "without quorum" in the portal; then restore that.`,
  };
}
