import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keyFingerprint } from '../archive';
import { ClusterMachines } from '../cluster';
import {
  Configuration,
  openConfiguredFolder,
  readConfiguration,
} from './readConfiguration';

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

it('keeps backups as it is said of the cluster, or else of all, or else until they expire', () => {
  const none = { last: 0, daily: 0, weekly: 0, monthly: 0, withinDays: 0 };
  const terms = { expireAfterDays: 100, keepReplacedDays: 3 };
  const clusters = [
    { name: 'usual' },
    {
      name: 'own',
      protection: { secondPerson: true, retention: { last: 3 } },
    },
  ];
  const retention = { daily: 7, monthly: 3, timeZone: 'Europe/Berlin' };
  const said = read({ ...terms, clusters, protection: { retention } });
  expect(said.retention('usual')).toEqual({ ...none, ...retention, ...terms });
  expect(said.retention('own')).toEqual({
    ...none,
    ...terms,
    last: 3,
    timeZone: 'UTC',
  });
  expect(read({ clusters }).retention('usual')).toEqual({
    ...none,
    withinDays: 365,
    timeZone: 'UTC',
    expireAfterDays: 365,
    keepReplacedDays: 7,
  });
});

it('has copies where it is said of the cluster, or else of all, or else everywhere', () => {
  const stores = ['here', 'there', 'away'].map(id => ({
    id,
    filesystem: { path: id },
  }));
  const clusters = [
    { name: 'usual' },
    { name: 'own', protection: { stores: ['away'] } },
  ];
  const idsOf = (found: Configuration, name: string, ids?: string[]) =>
    found.backupStores(name, ids).map(({ id }) => id);
  const said = read({
    ...{ stores, clusters },
    protection: { stores: ['here', 'there'] },
  });
  expect(idsOf(said, 'usual')).toEqual(['here', 'there']);
  expect(idsOf(said, 'own')).toEqual(['away']);
  expect(idsOf(said, 'own', ['here'])).toEqual(['here']);
  expect(idsOf(read({ stores, clusters }), 'usual')).toHaveLength(3);
  for (const wrong of [['nowhere'], [], 'here']) {
    const protection = { stores: wrong };
    expect(() => read({ stores, protection })).toThrow(/protection.stores: /);
    expect(() =>
      read({ stores, clusters: [{ name: 'lab', protection }] }),
    ).toThrow(/protection.stores of cluster lab: /);
  }
});

it.each<[object | string | number, RegExp]>([
  ['daily', /not made of last, daily/],
  [[7], /not made of last, daily/],
  [{}, /nothing in it keeps a backup/],
  [{ timeZone: 'UTC' }, /nothing in it keeps a backup/],
  [{ daily: 7, yearly: 2 }, /it has yearly, which nobody knows/],
  [{ daily: '7' }, /daily 7 is no number/],
  [{ last: 0 }, /last 0 is no number/],
  [{ weekly: 1.5 }, /weekly 1.5 is no number/],
  [{ monthly: 24 }, /monthly 24 reaches further back than expireAfterDays 365/],
  [{ withinDays: 366 }, /withinDays 366 reaches further/],
  [{ last: 1, timeZone: 'Berlin' }, /timeZone Berlin is no name/],
  [{ last: 1, timeZone: '+01:00' }, /timeZone \+01:00 is no name/],
])('refuses the retention %j, of all and of one cluster', (retention, why) => {
  const protection = { retention };
  expect(() => read({ protection })).toThrow(why);
  const clusters = [{ name: 'lab', protection }];
  expect(() => read({ clusters })).toThrow(why);
  expect(() => read({ clusters })).toThrow(
    /protection.retention of cluster lab/,
  );
});

it.each([
  { withinDays: 365 },
  { daily: 365 },
  { weekly: 53 },
  { monthly: 13 },
  { last: 10_000 },
])('takes what can be kept before it expires: %j', retention => {
  expect(read({ protection: { retention } }).retention('any')).toMatchObject(
    retention,
  );
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
