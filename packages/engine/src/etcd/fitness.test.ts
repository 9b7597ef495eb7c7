import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterBackupError } from '../errors';
import { connectMember } from './connectMember';
import { EtcdMember } from './EtcdMember';
import {
  ClusterFacts,
  collectClusterFacts,
  judgeMembers,
  noFitMember,
} from './fitness';
import { RealEtcd, startEtcd } from './__testUtils__/realEtcd';

const signal = new AbortController().signal;

describe('judgeMembers', () => {
  const member = (name: string, overrides = {}) => ({
    name,
    status: {
      memberId: `id-${name}`,
      clusterId: '1',
      version: '3.5.16',
      dbSize: 1,
      revision: 100,
      raftIndex: 5000,
      raftAppliedIndex: 5000,
      raftTerm: 2,
      leader: 'id-a',
      isLearner: false,
      errors: [],
      ...overrides,
    },
    linearizable: 100,
    hash: { hash: '1', revision: 100, compactRevision: 50 },
  });
  const facts = (overrides: Partial<ClusterFacts> = {}): ClusterFacts => ({
    members: [member('a'), member('b'), member('c')],
    entries: ['a', 'b', 'c'].map(name => ({
      memberId: `id-${name}`,
      name,
      peerUrls: [`https://${name}:2380`],
      clientUrls: [],
      isLearner: false,
    })),
    alarms: [],
    hashesComparable: true,
    ...overrides,
  });

  it('prefers a follower', () => {
    expect(judgeMembers(facts())).toEqual({
      fit: ['b', 'c', 'a'],
      chosen: 'b',
      reservations: [],
      refusals: [],
      hasQuorum: true,
      unconfirmed: [],
      silent: [],
    });
  });

  const otherHash = { hash: '2', revision: 100, compactRevision: 50 };
  it.each<[string, Partial<ClusterFacts>, string[], string[], string[]]>([
    [
      'a member that lags',
      {
        members: [
          member('a'),
          member('b', { raftAppliedIndex: 10 }),
          member('c'),
        ],
      },
      ['c', 'a'],
      ['b etcd-lagging'],
      [],
    ],
    [
      'a member with other data than the most',
      {
        members: [
          { ...member('a'), hash: otherHash },
          member('b'),
          member('c'),
        ],
      },
      ['b', 'c'],
      ['a etcd-hash-differs'],
      [],
    ],
    [
      'two members that differ',
      { members: [member('a'), { ...member('b'), hash: otherHash }] },
      [],
      ['a etcd-hash-differs', 'b etcd-hash-differs'],
      ['c member-unknown'],
    ],
    [
      'hashes that cannot be compared, and a cluster out of space',
      {
        members: ['a', 'b', 'c'].map(name => ({
          ...member(name),
          hash: undefined,
        })),
        hashesComparable: false,
        alarms: [{ memberId: 'id-c', alarm: 'NOSPACE' }],
      },
      ['b', 'c', 'a'],
      [],
      ['c etcd-nospace', 'b hash-not-comparable'],
    ],
    [
      'a member that was never started',
      {
        members: [member('a'), member('b')],
        entries: [
          ...facts().entries.slice(0, 2),
          { ...facts().entries[2], name: '' },
        ],
      },
      ['b', 'a'],
      [],
      ['id-c member-not-started'],
    ],
  ])('judges %s', (_what, overrides, fit, refusals, reservations) => {
    const judged = judgeMembers(facts(overrides));
    expect(judged.fit).toEqual(fit);
    expect(judged.refusals.map(f => `${f.member} ${f.id}`)).toEqual(refusals);
    expect(judged.reservations.map(f => `${f.member} ${f.id}`)).toEqual(
      reservations,
    );
  });
});

describe('on a real cluster', () => {
  let etcd: RealEtcd;
  let members: EtcdMember[];
  beforeAll(async () => {
    etcd = await startEtcd(3);
    for (let i = 0; i < 20; i++) {
      await etcd.client.put(`/registry/${i}`).value('x');
    }
    members = await Promise.all(
      etcd.members.map(({ node }) => connectMember(node, { signal })),
    );
  });
  afterAll(async () => {
    await Promise.all((members ?? []).map(member => member.close()));
    await etcd?.close();
  });
  const judge = async () =>
    judgeMembers(
      await collectClusterFacts(
        members.map(member => ({ name: member.name, member })),
        signal,
      ),
    );

  it('finds all fit, and one that is written to as well', async () => {
    const calm = await judge();
    const { leader } = await members[0].status();
    const entries = await members[0].members();
    expect(calm).toMatchObject({ reservations: [], refusals: [] });
    expect(calm.fit).toHaveLength(3);
    expect(calm.fit[2]).toBe(
      entries.find(({ memberId }) => memberId === leader)!.name,
    );
    let stop = false;
    const writing = (async () => {
      for (let i = 0; !stop; i++) {
        const { header } = await etcd.client.put(`/busy/${i % 50}`).value(i);
        if (i % 100 === 99) {
          await etcd.client.kv.compact({ revision: header.revision });
        }
      }
    })();
    const busy = await judge();
    stop = true;
    await writing;
    expect(busy.fit).toHaveLength(3);
    expect(busy.refusals).toEqual([]);
  });

  it('sees alarms, and takes them away', async () => {
    const ids = await Promise.all(
      members.map(async member => (await member.status()).memberId),
    );
    const raise = (memberID: string, alarm: 'Nospace' | 'Corrupt') =>
      etcd.client.maintenance.alarm({ action: 'Activate', memberID, alarm });
    await raise(ids[0], 'Nospace');
    await raise(ids[1], 'Corrupt');
    try {
      const judged = await judge();
      expect(judged.fit).not.toContain('cp2');
      expect(judged.refusals).toMatchObject([
        { member: 'cp2', id: 'etcd-corrupt' },
      ]);
      expect(judged.reservations).toMatchObject([
        { member: 'cp1', id: 'etcd-nospace' },
      ]);
    } finally {
      for (const alarm of await members[2].alarms()) {
        await members[2].disarm(alarm);
      }
    }
    expect(await members[0].alarms()).toEqual([]);
  });

  it('leaves out a dead member, and refuses without a quorum', async () => {
    await etcd.members[0].stop('SIGKILL');
    await sleep(2000);
    const two = await judge();
    expect(two.fit).toHaveLength(2);
    expect(two.refusals).toMatchObject([
      { member: 'cp1', id: 'etcd-unreachable' },
    ]);
    await etcd.members[1].stop('SIGKILL');
    const one = await judge();
    expect(one).toMatchObject({
      chosen: undefined,
      hasQuorum: false,
      unconfirmed: [{ member: 'cp3', revision: expect.any(Number) }],
      silent: ['cp1', 'cp2'],
    });
    const error = noFitMember(one);
    expect(error).toBeInstanceOf(ClusterBackupError);
    expect(error.code).toBe('etcd-no-quorum');
    expect(error.message).toContain('cp3');
  });
});
