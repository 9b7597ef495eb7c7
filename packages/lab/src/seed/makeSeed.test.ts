import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kinds } from '../apiserver/kinds';
import { openRegistry } from '../apiserver/registry';
import { PROTOBUF_MAGIC } from '../apiserver/storedObject';
import { startThrowawayEtcd, ThrowawayEtcd } from './throwawayEtcd';
import { makeSeed, Seed } from './makeSeed';
import { makeObjects } from './objects';
import { seededRandom } from './random';

const run = promisify(execFile);
const sizeMiB = 24;
let directory: string;
let seed: Seed;
let server: ThrowawayEtcd;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lab-seed-'));
  seed = await makeSeed({
    sizeMiB,
    directory: join(directory, 'scratch'),
    cacheDirectory: join(directory, 'cache'),
  });
  const data = join(directory, 'restored');
  await run('etcdutl', [
    ...['snapshot', 'restore', seed.snapshotPath, '--data-dir', data],
    ...['--initial-cluster', 'default=unix://peer:0'],
    ...['--initial-advertise-peer-urls', 'unix://peer:0'],
  ]);
  server = await startThrowawayEtcd(data);
});

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function values() {
  const { kvs, header } = await server.etcd.range({
    key: Buffer.from('/registry/'),
    rangeEnd: Buffer.from('/registry0'),
    timeoutMs: 30_000,
  });
  return { kvs, revision: header.revision };
}

it('is a snapshot of the wanted size, 30 % free, as compressible as a real one', async () => {
  const { stdout } = await run('etcdutl', [
    ...['snapshot', 'status', seed.snapshotPath, '-w', 'json'],
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ revision: seed.revision });
  const wanted = sizeMiB * 2 ** 20;
  const size = statSync(seed.snapshotPath).size;
  expect(size / wanted).toBeGreaterThan(0.9);
  expect(size / wanted).toBeLessThan(1.1);
  const { dbSize, dbSizeInUse } = await server.etcd.status();
  expect(1 - dbSizeInUse / dbSize).toBeGreaterThan(0.25);
  expect(1 - dbSizeInUse / dbSize).toBeLessThan(0.35);
  await run('gzip', ['-1', '-k', seed.snapshotPath]);
  const ratio = size / statSync(`${seed.snapshotPath}.gz`).size;
  expect(ratio).toBeGreaterThan(4);
  expect(ratio).toBeLessThan(6);
});

it('holds four fifths protobuf, with the sizes of a real cluster, five revisions each, compacted', async () => {
  const { kvs, revision } = await values();
  expect(kvs).toHaveLength(seed.keys);
  expect(revision).toBe(seed.revision);
  const sizes = kvs.map(({ value }) => value.length).sort((a, b) => a - b);
  const at = (share: number) => sizes[Math.floor(sizes.length * share)];
  expect(at(0.5)).toBeGreaterThan(1.2 * 1024);
  expect(at(0.5)).toBeLessThan(1.9 * 1024);
  expect(at(0.99)).toBeGreaterThan(30 * 1024);
  expect(at(0.99)).toBeLessThan(52 * 1024);
  const protobuf = kvs.filter(({ value }) =>
    value.subarray(0, 4).equals(PROTOBUF_MAGIC),
  ).length;
  expect(protobuf / kvs.length).toBeGreaterThan(0.75);
  expect(protobuf / kvs.length).toBeLessThan(0.85);
  expect(new Set(kvs.map(({ version }) => version))).toEqual(new Set([5]));
  await expect(
    server.etcd.range({
      key: Buffer.from('/registry/'),
      revision: seed.revision - 1,
    }),
  ).rejects.toThrow('compacted');
});

it('is readable as objects, whose namespaces are there', async () => {
  const registry = openRegistry(server.etcd);
  const namespaces = new Set<string>(['kube-system']);
  const counts: Record<string, number> = {};
  for (const kind of kinds) {
    const { objects } = await registry.list(kind, '');
    counts[kind.plural] = 0;
    for await (const object of objects) {
      counts[kind.plural] += 1;
      if (kind.plural === 'namespaces') namespaces.add(object.metadata.name);
      else if (!namespaces.has(object.metadata.namespace ?? '')) {
        throw new Error(`no namespace for ${object.metadata.name}`);
      }
    }
  }
  const { nodes, leases, jobs, clusters, nodepools, ...seeded } = counts;
  expect([nodes, leases, jobs, clusters, nodepools]).toEqual([0, 0, 0, 0, 0]);
  expect(Object.entries(seeded).filter(([, count]) => !count)).toEqual([]);
  expect(Object.values(counts).reduce((a, b) => a + b)).toBe(seed.keys);
  const config = kinds.find(({ plural }) => plural === 'configmaps')!;
  const kubeadm = await registry.get(config, 'kube-system', 'kubeadm-config');
  expect(kubeadm.data.ClusterConfiguration).toContain(
    'kind: ClusterConfiguration',
  );
});

it('is taken from the cache, and the same for the same number', async () => {
  const started = Date.now();
  const again = await makeSeed({
    sizeMiB,
    directory: join(directory, 'scratch'),
    cacheDirectory: join(directory, 'cache'),
  });
  expect(again).toEqual(seed);
  expect(Date.now() - started).toBeLessThan(200);
  expect(readdirSync(join(directory, 'scratch'))).toEqual([]);

  const sample = () => {
    const objects = makeObjects(seededRandom(7));
    const some = Array.from({ length: 300 }, () => objects.next().value.object);
    return createHash('sha256').update(JSON.stringify(some)).digest('hex');
  };
  expect(sample()).toBe(sample());
});
