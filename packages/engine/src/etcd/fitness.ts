import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import {
  EtcdMember,
  MemberAlarm,
  MemberEntry,
  MemberStatus,
} from './EtcdMember';

/** How many Raft entries a member may have been told of and not applied, and still be as good as its peers. */
const MAX_LAG = 1000;
const HASH_TRIES = 3;
const ELECTION_MS = 5000;

/** What one member was found to be. */
export interface MemberFacts {
  name: string;
  /** Why it could not be asked; then the rest is missing. */
  failure?: ClusterBackupError;
  status?: MemberStatus;
  /** The revision a linearizable read saw, or why it failed. */
  linearizable?: number | ClusterBackupError;
  /** Of the last round in which revisions were comparable. */
  hash?: { hash: string; revision: number; compactRevision: number };
}

/** @public */
export interface ClusterFacts {
  /** In the order of the nodes; one for every node, reached or not. */
  members: MemberFacts[];
  /** The member list, as the first member told it that could. */
  entries: MemberEntry[];
  alarms: MemberAlarm[];
  /** Whether hashes were taken at one revision and one compaction. */
  hashesComparable: boolean;
}

/** What a member is not good for, or what a person should know. @public */
export interface MemberFinding {
  id: string;
  member: string;
  title: string;
  message: string;
  remedy: string;
}

/** @public */
export interface Fitness {
  /** Names of the members that a snapshot may be taken from, the best first. */
  fit: string[];
  /** The best of them. */
  chosen?: string;
  reservations: MemberFinding[];
  /** Why a member was not chosen; where none is, why there is no backup. */
  refusals: MemberFinding[];
  /** Whether any member passed a read that takes a quorum. */
  hasQuorum: boolean;
  /** Members that answer and only lack a quorum that confirms them. */
  unconfirmed: Array<{ member: string; revision: number }>;
  /** Names of the members that do not answer. */
  silent: string[];
}

async function or<T>(promise: Promise<T>): Promise<T | ClusterBackupError> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof ClusterBackupError) {
      return error;
    }
    throw error;
  }
}

/** While a leader is elected, which takes a second or two, no member can answer; it is asked again. */
async function readThroughElection(
  member: EtcdMember,
  signal: AbortSignal,
): Promise<number | ClusterBackupError> {
  const until = performance.now() + ELECTION_MS;
  for (;;) {
    const read = await or(member.linearizableRead());
    if (typeof read === 'number' || performance.now() > until) {
      return read;
    }
    await sleep(250, undefined, { signal });
  }
}

/** Takes hashes of all members at one revision, until compaction does not get in between. */
async function compareHashes(
  members: Map<EtcdMember, MemberFacts>,
  signal: AbortSignal,
): Promise<boolean> {
  for (let attempt = 0; attempt < HASH_TRIES; attempt++) {
    if (attempt > 0) {
      await sleep(500, undefined, { signal });
    }
    const revision = Math.min(
      ...[...members.values()].map(facts => facts.linearizable as number),
    );
    const hashes = await Promise.all(
      [...members.keys()].map(member => or(member.hashKV(revision))),
    );
    const good = hashes.flatMap(hash =>
      hash instanceof ClusterBackupError ? [] : [hash],
    );
    if (
      good.length === hashes.length &&
      new Set(good.map(({ compactRevision }) => compactRevision)).size === 1
    ) {
      [...members.values()].forEach((facts, i) => {
        facts.hash = good[i];
      });
      return true;
    }
    // A compaction may have passed the revision; the next try takes a newer one.
    await Promise.all(
      [...members].map(async ([member, facts]) => {
        const read = await or(member.linearizableRead());
        if (!(read instanceof ClusterBackupError)) {
          facts.linearizable = read;
        }
      }),
    );
  }
  return false;
}

/**
 * Asks all members what {@link judgeMembers} needs to know, all at once.
 *
 * @param members - one for every control-plane node; an error where its member could not be connected to
 * @public
 */
export async function collectClusterFacts(
  members: Array<{ name: string; member: EtcdMember | ClusterBackupError }>,
  signal: AbortSignal,
): Promise<ClusterFacts> {
  let entries: MemberEntry[] = [];
  let alarms: MemberAlarm[] = [];
  const reading = new Map<EtcdMember, MemberFacts>();
  const facts = await Promise.all(
    members.map(async ({ name, member }): Promise<MemberFacts> => {
      if (member instanceof ClusterBackupError) {
        return { name, failure: member };
      }
      const status = await or(member.status());
      if (status instanceof ClusterBackupError) {
        return { name, failure: status };
      }
      const [list, raised, linearizable] = await Promise.all([
        or(member.members()),
        or(member.alarms()),
        status.isLearner ? undefined : readThroughElection(member, signal),
      ]);
      if (!(list instanceof ClusterBackupError) && entries.length === 0) {
        entries = list;
      }
      if (!(raised instanceof ClusterBackupError)) {
        alarms = raised.length > alarms.length ? raised : alarms;
      }
      const found = { name, status, linearizable };
      if (typeof linearizable === 'number') {
        reading.set(member, found);
      }
      return found;
    }),
  );
  // Hashing reads the whole store, and one hash says nothing.
  const hashesComparable =
    reading.size > 1 && (await compareHashes(reading, signal));
  return { members: facts, entries, alarms, hashesComparable };
}

/**
 * Judges which members a snapshot may be taken from: started, voting, not marked corrupt, caught up with a quorum, and
 * with the same hash as the others. A follower is preferred: the leader has more to do.
 *
 * @public
 */
export function judgeMembers(facts: ClusterFacts): Fitness {
  const reservations: MemberFinding[] = [];
  const refusals: MemberFinding[] = [];
  const nameOf = (memberId: string) =>
    facts.entries.find(entry => entry.memberId === memberId)?.name || memberId;
  const newest = Math.max(
    0,
    ...facts.members.map(({ status }) => status?.raftIndex ?? 0),
  );

  for (const entry of facts.entries) {
    if (entry.name === '') {
      reservations.push({
        id: 'member-not-started',
        member: entry.memberId,
        title: 'An etcd member was never started',
        message: `The member ${entry.memberId} (${entry.peerUrls.join(
          ', ',
        )}) is in the member list and was never started.`,
        remedy: 'Start it, or remove it with: etcdctl member remove.',
      });
    } else if (!facts.members.some(({ name }) => name === entry.name)) {
      reservations.push({
        id: 'member-unknown',
        member: entry.name,
        title: 'An etcd member is on no known node',
        message: `The member ${entry.name} (${entry.peerUrls.join(
          ', ',
        )}) is on none of the control-plane nodes that are configured.`,
        remedy: 'Add its node to the configuration, or remove the member.',
      });
    }
  }
  for (const { memberId, alarm } of facts.alarms) {
    if (alarm === 'NOSPACE') {
      reservations.push({
        id: 'etcd-nospace',
        member: nameOf(memberId),
        title: 'etcd is out of space',
        message: `The member ${nameOf(
          memberId,
        )} raised NOSPACE; the cluster takes no writes.`,
        remedy:
          'Compact, defragment, then disarm the alarm (etcdctl alarm disarm).',
      });
    }
  }

  // Where hashes differ the majority is believed; without a majority nobody is.
  const byHash = new Map<string, string[]>();
  for (const { name, hash } of facts.members) {
    if (hash) {
      byHash.set(hash.hash, [...(byHash.get(hash.hash) ?? []), name]);
    }
  }
  const hashed = [...byHash.values()].flat().length;
  const majority = [...byHash].find(([, names]) => names.length > hashed / 2);

  const fit: Array<{ name: string; leader: boolean }> = [];
  const unconfirmed: Fitness['unconfirmed'] = [];
  const silent: string[] = [];
  for (const member of facts.members) {
    const { name, failure, status, linearizable, hash } = member;
    const refuse = (id: string, title: string, why: string, remedy: string) =>
      refusals.push({ id, member: name, title, message: why, remedy });
    if (failure || !status) {
      silent.push(name);
      refuse(
        failure?.code ?? 'etcd-unreachable',
        'An etcd member does not answer',
        failure?.message ?? `The member ${name} was not asked.`,
        failure?.remedy ?? '',
      );
    } else if (status.isLearner) {
      refuse(
        'etcd-learner',
        'A member is a learner',
        `The member ${name} is a learner: it may be behind and cannot vote.`,
        `Promote it when it caught up: etcdctl member promote ${status.memberId}.`,
      );
    } else if (
      facts.alarms.some(
        ({ memberId, alarm }) =>
          alarm === 'CORRUPT' && memberId === status.memberId,
      )
    ) {
      refuse(
        'etcd-corrupt',
        'A member is marked corrupt',
        `The member ${name} raised CORRUPT: its data differs from that of the others.`,
        `Replace the member: remove it, empty its data directory, add it again.`,
      );
    } else if (typeof linearizable !== 'number') {
      unconfirmed.push({ member: name, revision: status.revision });
      refuse(
        'etcd-no-quorum',
        'A member cannot confirm that it is up to date',
        `The member ${name} did not pass a linearizable read: ${
          linearizable?.message ?? 'it was not asked'
        }`,
        'Bring enough members up for a quorum.',
      );
    } else if (newest - status.raftAppliedIndex > MAX_LAG) {
      refuse(
        'etcd-lagging',
        'A member lags behind',
        `The member ${name} applied ${status.raftAppliedIndex} of ${newest} entries.`,
        'Wait until it caught up; look at its disk and its network.',
      );
    } else if (hash && byHash.size > 1 && hash.hash !== majority?.[0]) {
      refuse(
        'etcd-hash-differs',
        'A member holds other data than the rest',
        `The hash of member ${name} at revision ${
          hash.revision
        } differs from that of ${
          majority
            ? majority[1].join(' and ')
            : facts.members
                .filter(other => other.hash && other.name !== name)
                .map(other => other.name)
                .join(' and ')
        }.`,
        majority
          ? `Replace the member ${name}: remove it, empty its data directory, add it again.`
          : 'Find out which member holds the truth before anything is backed up or restored.',
      );
    } else {
      fit.push({ name, leader: status.leader === status.memberId });
    }
  }
  const order = fit
    .sort((a, b) => Number(a.leader) - Number(b.leader))
    .map(({ name }) => name);
  if (order.length > 1 && !facts.hashesComparable) {
    reservations.push({
      id: 'hash-not-comparable',
      member: order[0],
      title: 'The data of the members could not be compared',
      message: `In ${HASH_TRIES} tries the members were never at the same revision and compaction.`,
      remedy: 'Take another backup when the cluster has less to do.',
    });
  }
  return {
    fit: order,
    chosen: order[0],
    reservations,
    refusals,
    hasQuorum: facts.members.some(
      ({ linearizable }) => typeof linearizable === 'number',
    ),
    unconfirmed,
    silent,
  };
}

/**
 * The error of a cluster without a member that a snapshot may be taken from.
 *
 * @public
 */
export function noFitMember(fitness: Fitness): ClusterBackupError {
  const { refusals } = fitness;
  const ids = [...new Set(refusals.map(({ id }) => id))];
  let code = ids.length === 1 ? ids[0] : 'etcd-no-fit-member';
  if (ids.includes('etcd-no-quorum')) {
    code = 'etcd-no-quorum';
  }
  return new ClusterBackupError({
    code,
    message: `${
      code === 'etcd-no-quorum'
        ? 'etcd has no quorum.'
        : 'No etcd member is fit to take a snapshot from.'
    } ${refusals.map(({ message }) => message).join(' ')}`,
    state: NOTHING_CHANGED,
    remedy: [...new Set(refusals.map(({ remedy }) => remedy))].join(' '),
    details: { refusals: refusals.map(({ id, member }) => ({ id, member })) },
  });
}
