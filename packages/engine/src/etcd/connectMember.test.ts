import { createHash } from 'node:crypto';
import { connectMember } from './connectMember';
import { EtcdMember } from './EtcdMember';
import { RealEtcd, startEtcd } from './__testUtils__/realEtcd';

jest.setTimeout(60_000);

const signal = new AbortController().signal;

describe('connectMember', () => {
  let etcd: RealEtcd;
  let member: EtcdMember;

  beforeAll(async () => {
    etcd = await startEtcd(1);
    member = await connectMember(etcd.members[0].node, { signal });
  });
  afterAll(async () => {
    await member?.close();
    await etcd?.close();
  });

  it('asks a member everything a backup needs to know', async () => {
    await etcd.client.put('/registry/a').value('1');
    await etcd.client.put('/registry/a').value('2');
    await etcd.client.put('/registryx').value('3');
    const status = await member.status();
    expect(status).toMatchObject({
      version: '3.5.16',
      revision: 4,
      isLearner: false,
      leader: status.memberId,
      errors: [],
    });
    expect(BigInt(status.clusterId)).toBeGreaterThan(BigInt(0));
    expect(await member.members()).toEqual([
      {
        memberId: status.memberId,
        name: 'cp1',
        peerUrls: etcd.members[0].node.etcd.peerUrls,
        clientUrls: etcd.members[0].node.etcd.advertisedClientUrls,
        isLearner: false,
      },
    ]);
    expect(await member.linearizableRead()).toBe(4);
    expect(await member.hashKV()).toMatchObject({
      revision: 4,
      compactRevision: -1,
    });
    expect(await member.range('/registry/')).toEqual([
      {
        key: Buffer.from('/registry/a'),
        value: Buffer.from('2'),
        createRevision: 2,
        modRevision: 3,
        version: 2,
      },
    ]);
    expect(await member.alarms()).toEqual([]);
  });

  it('streams a snapshot with its size, hash and revision', async () => {
    const { size, stream, facts } = await member.snapshot(signal);
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const block of stream) {
      bytes += block.length;
      hash.update(block);
    }
    expect(bytes).toBe(size);
    expect(size % 512).toBe(32);
    expect(await facts).toEqual({ sha256: hash.digest('hex'), revision: 4 });
  });
});
