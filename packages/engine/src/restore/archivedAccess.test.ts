import { Readable } from 'node:stream';
import {
  Description,
  generateAgeKey,
  keyFingerprint,
  readArchive,
} from '../archive';
import {
  sample,
  signingKey,
  writeSample,
} from '../archive/__testUtils__/sampleArchive';
import { ClusterMachines, connectCluster } from '../cluster';
import {
  clusterResource,
  gdcAccess,
  nodePool,
  SSH_KEY,
  sshKeySecret,
} from '../gdc/__testUtils__/gdcObjects';
import { archivedMachines, refuseOtherObjects } from './archivedAccess';
import { ArchiveSource } from './restoreCluster';

const { signal } = new AbortController();
/** Of no machine. */
const KEY = `ssh-ed25519 ${Buffer.from(
  `\0\0\0\x0bssh-ed25519\0\0\0\x20${'k'.repeat(32)}`,
).toString('base64')}`;
const objects = [
  clusterResource(),
  nodePool('np1', ['10.0.0.9']),
  sshKeySecret,
];
let identity: string;
let recipient: string;
beforeAll(async () => {
  ({ identity, recipient } = await generateAgeKey());
});

/** An archive of `prod`, with or without its objects. */
async function archiveOf(items?: object[]): Promise<ArchiveSource> {
  const what = sample(Buffer.alloc(300_000, 'a snapshot'));
  const { nodes, workers } = what.description;
  const description: Description = {
    ...what.description,
    nodes: nodes.map((node, i) => ({ ...node, address: `10.0.0.${i + 1}` })),
    workers: workers.map(worker => ({ ...worker, address: '10.0.0.9' })),
  };
  const list = { apiVersion: 'v1', kind: 'List', items };
  const { bytes } = await writeSample(
    {
      ...what,
      description,
      objects: items && Buffer.from(JSON.stringify(list)),
    },
    [recipient],
  );
  return {
    open: async () => Readable.from([bytes]),
    key: { identities: [identity] },
    trustedSigners: [keyFingerprint(signingKey)],
  };
}

const proofOf = async (archive: ArchiveSource) =>
  readArchive(await archive.open(signal), { ...archive.key, signal });

it('has the machines, who logs in, the key and the host keys', async () => {
  const found = await archivedMachines(
    gdcAccess(),
    await archiveOf(objects),
    signal,
  );
  expect(found).toMatchObject({
    name: 'prod',
    layout: 'gdc',
    gdc: { type: 'admin', sshKeyFrom: 'cluster-prod/ssh-key' },
  });
  expect(
    [...found.controlPlane, ...found.workers].map(
      ({ address, user, privateKey, hostKeys }) => ({
        address,
        user,
        privateKey,
        hostKeys: { ...hostKeys, knownHosts: hostKeys.knownHosts?.trim() },
      }),
    ),
  ).toEqual(
    ['10.0.0.1', '10.0.0.2', '10.0.0.9'].map(address => ({
      address,
      user: 'ops',
      privateKey: SSH_KEY,
      hostKeys: {
        mode: 'strict',
        knownHosts: expect.stringMatching(
          new RegExp(`^${address} ssh-ed25519 `),
        ),
      },
    })),
  );
});

it('believes known_hosts more than the archive', async () => {
  const knownHosts = `10.0.0.1 ${KEY}`;
  const { controlPlane } = await archivedMachines(
    gdcAccess({ ssh: { hostKeys: { mode: 'strict', knownHosts } } }),
    await archiveOf(objects),
    signal,
  );
  const [first, second] = controlPlane.map(
    ({ hostKeys }) => hostKeys.knownHosts,
  );
  expect(first).toBe(knownHosts);
  expect(second).toContain(`${knownHosts}\n10.0.0.2 ssh-ed25519`);
});

it('is asked only where the Cluster resource cannot be read, and is asked for where nobody gave it', async () => {
  const unused = async (): Promise<ClusterMachines> => {
    throw new Error('It was asked.');
  };
  const machines: ClusterMachines = {
    name: 'lab',
    layout: 'kubeadm',
    controlPlane: [],
    workers: [],
  };
  const connected = await connectCluster(machines, { lastResort: unused });
  expect(connected.access).toBe(machines);

  await expect(connectCluster(gdcAccess())).rejects.toMatchObject({
    code: 'gdc-kubeconfig-missing',
    remedy: expect.stringContaining('give the archive and what opens it'),
  });
  await expect(
    connectCluster(gdcAccess(), { lastResort: unused }),
  ).rejects.toThrow('It was asked.');
});

it('is not what it was when the archive is another one on the second reading', async () => {
  const archive = await archiveOf(objects);
  const machines = await archivedMachines(gdcAccess(), archive, signal);
  const same = await proofOf(archive);
  expect(() => refuseOtherObjects(machines, same)).not.toThrow();

  const elsewhere = clusterResource({ nodeAccess: { loginUser: 'mallory' } });
  for (const others of [[elsewhere, sshKeySecret], undefined]) {
    const other = await proofOf(await archiveOf(others));
    expect(() => refuseOtherObjects(machines, other)).toThrow(
      expect.objectContaining({ code: 'archive-altered' }),
    );
  }
});

it.each<[string, unknown[]]>([
  ['empty', []],
  ['what is no object', ['Cluster']],
  ['nothing', [null]],
  ['an object without a name', [{ kind: 'Cluster', metadata: {} }]],
])('is refused where it is %s', async (_, items) => {
  const archive = await archiveOf(items as object[]);
  await expect(
    archivedMachines(gdcAccess(), archive, signal),
  ).rejects.toMatchObject({
    code: items.length ? 'archive-altered' : 'gdc-cluster-unusable',
  });
});

it('is not there in archives of other layouts', async () => {
  await expect(
    archivedMachines(gdcAccess(), await archiveOf(), signal),
  ).rejects.toMatchObject({ code: 'archive-without-access' });
});
