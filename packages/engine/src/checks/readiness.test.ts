import { generateKeyPairSync } from 'node:crypto';
import { Description } from '../archive';
import { sampleDescription } from '../archive/__testUtils__/sampleArchive';
import { MachineOutcome } from '../cluster';
import { describedKeys, gdcClusterOf, KubernetesObject } from '../gdc';
import {
  clusterResource,
  gdcAccess,
  NAMESPACE,
  secret,
} from '../gdc/__testUtils__/gdcObjects';
import { ControlPlaneNode } from '../layout';
import { authorizedFingerprints, sshKeyFingerprint } from '../machine';
import { publicKeyLine } from '../machine/hostKeys';
import { readPrivateKey } from '../machine/privateKey';
import { archiveCluster } from './archiveCluster';
import { archiveGcpKeys } from './archiveGcpKeys';
import { archiveNodes } from './archiveNodes';
import { archiveSshKey } from './archiveSshKey';
import { Check, CheckSubject } from './Check';
import {
  isAgainstRestore,
  isOfLastBackup,
  lastBackupUnread,
} from './readiness';

function newKey() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const access = { name: 'cp1', user: 'ops', privateKey: pem };
  return {
    access,
    fingerprint: sshKeyFingerprint(access),
    line: publicKeyLine(readPrivateKey(access).getPublicSSH()),
  };
}
const then = newKey();
const now = newKey();

/** A cluster whose machines are as the last backup has them, but for what a test says. */
function subject(
  options: {
    lastBackup?: Partial<Description>;
    /** Names of control-plane nodes. */
    names?: string[];
    ca?: string;
    peerUrl?: string;
    hostKey?: string;
    authorizedKeys?: string;
    objects?: KubernetesObject[];
  } = {},
): CheckSubject {
  const described = sampleDescription(1);
  const outcomes = (options.names ?? ['cp1', 'cp2']).map(name => ({
    access: { ...now.access, name, address: '192.0.2.1' },
    role: 'control-plane',
    machine: {
      name,
      hostKey: options.hostKey ?? described.nodes[0].hostKey,
      run: async () => ({ stdout: options.authorizedKeys ?? '' }),
    },
  })) as unknown as MachineOutcome[];
  return {
    purpose: 'look',
    lastBackup: {
      ...described,
      keys: undefined,
      cluster: { ...described.cluster, kubeSystemUid: undefined },
      ...options.lastBackup,
    },
    cluster: {
      outcomes,
      access: {
        controlPlane: outcomes.map(({ access }) => access),
        gdc:
          options.objects &&
          gdcClusterOf(gdcAccess(), [clusterResource(), ...options.objects]),
      },
    },
    nodes: outcomes.map(({ machine }) => ({
      machine,
      caFingerprint: options.ca ?? described.cluster.caFingerprint,
      etcd: {
        peerUrls: [options.peerUrl ?? described.nodes[0].etcd.peerUrls[0]],
      },
    })) as unknown as ControlPlaneNode[],
    signal: new AbortController().signal,
  } as unknown as CheckSubject;
}

async function found(check: Check, of: CheckSubject) {
  const findings = await check.run(of);
  for (const finding of findings) {
    expect(isAgainstRestore(finding) && isOfLastBackup(finding)).toBe(true);
    expect(finding.remedy).not.toBe('');
  }
  return findings.map(({ code, machine = 'all' }) => `${code} ${machine}`);
}

it('finds nothing where all is as it was, and asks nothing without a backup', async () => {
  for (const check of [
    archiveCluster,
    archiveNodes,
    archiveSshKey,
    archiveGcpKeys,
  ]) {
    expect(await found(check, subject())).toEqual([]);
    expect(await found(check, { ...subject(), lastBackup: undefined })).toEqual(
      [],
    );
  }
});

it('tells of another authority', async () => {
  expect(await found(archiveCluster, subject({ ca: 'cd'.repeat(32) }))).toEqual(
    ['archive-ca-differs all'],
  );
});

it.each<[string, Parameters<typeof subject>[0], string[]]>([
  ['one more', { names: ['cp1', 'cp2', 'cp3'] }, ['archive-node-added cp3']],
  ['one less', { names: ['cp2'] }, ['archive-node-gone cp1']],
  [
    'a member that is elsewhere',
    { names: ['cp1', 'cp2'], peerUrl: 'https://192.0.2.7:2380' },
    ['archive-node-moved cp1', 'archive-node-moved cp2'],
  ],
  [
    'another host key',
    { hostKey: 'ssh-ed25519 AAAAother' },
    ['archive-host-key-replaced cp1', 'archive-host-key-replaced cp2'],
  ],
  ['a host key of another type', { hostKey: 'ssh-rsa AAAAother' }, []],
])('tells of nodes: %s', async (_, options, codes) => {
  expect(await found(archiveNodes, subject(options))).toEqual(codes);
});

describe('the SSH key of the last backup', () => {
  const ssh = (key: typeof then) => ({
    keys: {
      ssh: { secret: 'cluster-prod/ssh-key', fingerprint: key.fingerprint },
      gcp: [],
    },
  });
  it.each([
    ['is the one that is used', now, '', []],
    [
      'is let in as well',
      then,
      `${now.line}\nfrom="10.0.0.0/8,*.x",no-pty ${then.line} old key\n`,
      [],
    ],
    [
      'is not let in any more',
      then,
      `${now.line}\n# ${then.line}\n`,
      ['archive-ssh-key-refused cp1', 'archive-ssh-key-refused cp2'],
    ],
    [
      'is judged by files elsewhere',
      then,
      '',
      ['archive-ssh-key-not-known cp1', 'archive-ssh-key-not-known cp2'],
    ],
  ])('%s', async (_, key, authorizedKeys, codes) => {
    expect(
      await found(
        archiveSshKey,
        subject({ lastBackup: ssh(key), authorizedKeys }),
      ),
    ).toEqual(codes);
  });
});

it('reads what authorized_keys lets in', () => {
  expect(
    authorizedFingerprints(
      `ssh-rsa AAAAB3Nz= a\n  command="x y" ${then.line}\n#${now.line}\nnonsense\n`,
    ),
  ).toEqual(new Set([expect.anything(), then.fingerprint]));
});

describe('keys in Secrets', () => {
  const gcp = (private_key_id: string) =>
    secret('anthos-creds', 'gke-connect', {
      key: JSON.stringify({
        client_email: 'connect@x',
        private_key: 'SECRET',
        private_key_id,
      }),
    });
  const sshKey = secret(NAMESPACE, 'ssh-key', {
    id_rsa: then.access.privateKey,
  });
  const objects = [clusterResource(), sshKey, gcp('one')];
  const keys = describedKeys(gdcClusterOf(gdcAccess(), objects));

  it('are described by their names, and by nothing of them', () => {
    expect(keys).toEqual({
      ssh: {
        secret: `${NAMESPACE}/ssh-key`,
        fingerprint: then.fingerprint,
      },
      gcp: [
        {
          secret: 'anthos-creds/gke-connect',
          account: 'connect@x',
          keyId: 'one',
        },
      ],
    });
    const unreadable = secret(NAMESPACE, 'ssh-key', {
      id_rsa: '-----BEGIN PRIVATE KEY-----\nnone\n',
    });
    expect(
      describedKeys(gdcClusterOf(gdcAccess(), [clusterResource(), unreadable])),
    ).toEqual({ ssh: undefined, gcp: [] });
  });

  it.each([
    ['the same', [gcp('one')], []],
    ['another', [gcp('two')], ['archive-gcp-key-replaced all']],
    ['none, which another check tells', [], []],
  ])('are %s as in the last backup', async (_, present, codes) => {
    expect(
      await found(
        archiveGcpKeys,
        subject({ lastBackup: { keys }, objects: present }),
      ),
    ).toEqual(codes);
  });
});

it('tells what stands against a restore from what does not', () => {
  const unread = lastBackupUnread({ message: 'Gone.', remedy: 'Mount it.' });
  expect(isAgainstRestore(unread) && isOfLastBackup(unread)).toBe(true);
  const refusal = {
    check: 'disks',
    level: 'refusal',
    code: 'disk-too-small',
  } as const;
  expect(isAgainstRestore(refusal)).toBe(true);
  expect(isOfLastBackup(refusal)).toBe(false);
  const gcpKey = { check: 'gcp-keys', level: 'reservation' } as const;
  expect(isAgainstRestore({ ...gcpKey, code: 'gcp-key-refused' })).toBe(true);
  expect(isAgainstRestore({ ...gcpKey, code: 'gcp-key-unasked' })).toBe(false);
});
