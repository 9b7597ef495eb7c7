import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyFingerprint } from '../archive';
import { ClusterMachines } from '../cluster';
import { openConfiguredFolder, readConfiguration } from './readConfiguration';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-configuration-'));
  await writeFile(join(folder, 'id'), 'the key');
  await writeFile(join(folder, 'known_hosts'), 'the hosts');
});
afterAll(() => rm(folder, { recursive: true }));

const read = (section: unknown) =>
  readConfiguration(section, { folder, origin: 'test.yaml' });
const machine = { name: 'cp-1', address: '10.0.0.1' };

it('reads what a cluster is and how it is reached', () => {
  const { cluster, clusters } = read({
    clusters: [
      {
        name: 'lab',
        ssh: {
          user: 'ops',
          privateKeyFile: 'id',
          knownHostsFile: 'known_hosts',
          jump: { name: 'bastion', address: 'bastion.example.com', port: 2222 },
        },
        controlPlane: [machine],
        workers: [{ ...machine, name: 'worker-1', user: 'root', port: 22 }],
      },
      {
        name: 'other',
        entityRef: 'cluster:prod/other',
        controlPlane: [machine],
      },
    ],
  });
  expect(clusters).toEqual([
    { name: 'lab', entityRef: 'resource:default/lab' },
    { name: 'other', entityRef: 'cluster:prod/other' },
  ]);
  const hostKeys = { mode: 'strict', knownHosts: 'the hosts' };
  expect(cluster('lab')).toMatchObject({
    name: 'lab',
    layout: 'kubeadm',
    controlPlane: [
      {
        ...machine,
        user: 'ops',
        privateKey: 'the key',
        hostKeys,
        jump: {
          name: 'bastion',
          port: 2222,
          user: 'ops',
          privateKey: 'the key',
        },
      },
    ],
    workers: [{ name: 'worker-1', user: 'root', port: 22 }],
  });
  const { controlPlane } = cluster('lab') as ClusterMachines;
  expect(controlPlane[0].jump!.jump).toBeUndefined();
});

it.each([
  ['no section', undefined, /has no section clusterBackup/],
  ['a list', [], /has no section clusterBackup/],
  [
    'a cluster twice',
    { clusters: [{ name: 'a' }, { name: 'a' }] },
    /two of cluster a/,
  ],
  [
    'a store without id',
    { stores: [{ filesystem: {} }] },
    /every store needs id/,
  ],
])('refuses %s', (_, section, why) => {
  expect(() => read(section)).toThrow(why);
});

it.each([
  ['unknown', /there is no cluster unknown; it has: bare, odd, keyless, lost/],
  ['bare', /has no controlPlane machines/],
  ['odd', /layout k3s of odd is not known/],
  ['keyless', /machine cp-1 has no ssh.privateKeyFile/],
  ['lost', /no such file/],
])('refuses the cluster %s when it is asked for', (name, why) => {
  const { cluster } = read({
    clusters: [
      { name: 'bare' },
      { name: 'odd', layout: 'k3s', controlPlane: [machine] },
      { name: 'keyless', controlPlane: [machine] },
      {
        name: 'lost',
        ssh: { privateKeyFile: 'nowhere' },
        controlPlane: [machine],
      },
    ],
  });
  expect(() => cluster(name)).toThrow(why);
});

it('names stores by their type', async () => {
  const { store, stores } = read({
    stores: [
      { id: 'local', filesystem: { path: 'store' } },
      { id: 'vault', tape: { drive: 1 } },
      { id: 'both', filesystem: { path: 'x' }, tape: {} },
      { id: 'pathless', filesystem: {} },
      { id: 'slow', useDisk: true, filesystem: { path: 'x' } },
      { id: 'slower', useDisk: { directory: 'wait' }, tape: {} },
      { id: 'odd', useDisk: 'yes', tape: {} },
    ],
  });
  expect(stores.slice(0, 4)).toEqual(['local', 'vault', 'both', 'pathless']);
  expect(store('slow').spool).toEqual({});
  expect(store('slower').spool).toEqual({ directory: join(folder, 'wait') });
  expect(() => store('odd')).toThrow(/neither true nor a directory/);
  expect(store('vault')).toEqual({
    id: 'vault',
    type: 'tape',
    options: { drive: 1 },
    folder,
  });
  expect(() => store('both')).toThrow(/needs one member beside its id/);
  expect(() => store('none')).toThrow(/there is no store none/);
  const opened = await openConfiguredFolder(store());
  expect(opened.id).toBe('local');
  await expect(openConfiguredFolder(store('pathless'))).rejects.toThrow(
    /filesystem.path is missing/,
  );
});

it('trusts its own signing key, which it makes once, from a file or from the text', async () => {
  const fromFile = read({ trustedSigners: ['SHA256:friend'] });
  expect(await fromFile.trustedSigners()).toEqual(['SHA256:friend']);
  const key = await fromFile.signingKey();
  const own = keyFingerprint(key);
  expect(keyFingerprint(await fromFile.signingKey())).toBe(own);
  expect(await fromFile.trustedSigners()).toEqual([own, 'SHA256:friend']);

  const text = await readFile(join(folder, 'signing-key.pem'), 'utf8');
  const fromText = read({ signingKey: text, signingKeyFile: 'elsewhere' });
  expect(await fromText.trustedSigners()).toEqual([own]);
  const wrong = read({ signingKey: 'PRIVATE KEY of nobody' });
  await expect(wrong.signingKey()).rejects.toMatchObject({
    code: 'signing-key-unusable',
    message: expect.not.stringContaining('nobody'),
  });
});

it('packs archives with gzip for recipients, unless it is told otherwise', () => {
  const recipients = ['age1somebody'];
  expect(read({ recipients }).packing()).toMatchObject({
    recipients,
    dangerouslyStoreUnencrypted: false,
    compression: 'gzip',
  });
  expect(
    read({
      dangerouslyStoreUnencrypted: true,
      compression: 'zstd',
      compressionLevel: 19,
    }).packing(),
  ).toEqual({
    recipients: [],
    dangerouslyStoreUnencrypted: true,
    compression: 'zstd',
    compressionLevel: 19,
  });
});

it.each([
  ['no recipients', {}, /nobody could open the backup/],
  [
    'recipients for nothing',
    { recipients: ['age1a'], dangerouslyStoreUnencrypted: true },
    /either encrypted or not/,
  ],
  [
    'a disk for what is not encrypted',
    {
      dangerouslyStoreUnencrypted: true,
      stores: [{ id: 'slow', useDisk: true, filesystem: { path: 'x' } }],
    },
    /only what is encrypted may lie/,
  ],
  ['another compression', { compression: 'xz' }, /neither gzip nor zstd/],
  ['a level gzip lacks', { compressionLevel: 10 }, /not one of gzip, 1 to 9/],
])('refuses to pack with %s', (_, section, why) => {
  expect(() => read(section).packing()).toThrow(why);
});
