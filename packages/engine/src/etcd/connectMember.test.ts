import { createHash } from 'node:crypto';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterBackupError } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';
import { connectMember } from './connectMember';
import { EtcdMember } from './EtcdMember';
import { makeAuthority, makeCertificate } from './__testUtils__/openssl';
import { RealEtcd, startEtcd } from './__testUtils__/realEtcd';

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

  describe('refuses in plain words', () => {
    /** The code that asking the node's member ends with, when its certificates or addresses are others. */
    async function asking(
      certificate: Partial<ControlPlaneNode['etcd']['certificate']>,
      clientUrl?: string,
    ) {
      const { node } = etcd.members[0];
      const other: ControlPlaneNode = {
        ...node,
        etcd: {
          ...node.etcd,
          clientUrl: clientUrl ?? node.etcd.clientUrl,
          certificate: { ...node.etcd.certificate, ...certificate },
        },
      };
      try {
        const asked = await connectMember(other, { signal });
        try {
          await asked.status();
          return 'none';
        } finally {
          await asked.close();
        }
      } catch (error) {
        const { code, message } = error as ClusterBackupError;
        return message.includes('cp1') &&
          !/PRIVATE KEY|UNAVAILABLE|SSL routines|\n/.test(message)
          ? code
          : message;
      }
    }

    it('certificates that are not right', async () => {
      const folder = join(etcd.folder, 'other');
      const at = (name: string) => join(folder, name);
      makeAuthority(at('ca'), 'other');
      makeCertificate(at('healthcheck-client'), at('ca'), '/CN=client');
      makeCertificate(at('server'), at('ca'), '/CN=server');
      // Another authority altogether, which has not signed the member's certificate.
      expect(await asking({ ca: at('ca.crt') })).toBe(
        'etcd-certificate-refused',
      );
      // The right authority, and a client certificate that it did not sign.
      const pki = join(etcd.folder, 'pki');
      cpSync(join(pki, 'ca.crt'), at('ca.crt'));
      expect(await asking({ ca: at('ca.crt') })).toBe(
        'etcd-certificate-refused',
      );
      const none = { peerCert: undefined, peerKey: undefined };
      makeCertificate(at('healthcheck-client'), join(pki, 'ca'), '/CN=c', {
        days: -2,
      });
      // An expired one is passed over for the member's own, unless there is no other.
      expect(await asking({ ca: at('ca.crt') })).toBe('none');
      expect(
        await asking({ ca: at('ca.crt'), serverKey: at('gone'), ...none }),
      ).toBe('etcd-certificate-expired');
      expect(await asking({ ca: at('gone') })).toBe('etcd-certificate-missing');
      rmSync(at('healthcheck-client.key'));
      expect(
        await asking({ ca: at('ca.crt'), serverKey: at('gone'), ...none }),
      ).toBe('etcd-certificate-missing');
    });

    it('a member that does not run', async () => {
      expect(await asking({}, 'https://127.0.0.1:9')).toBe('etcd-unreachable');
    });
  });
});
