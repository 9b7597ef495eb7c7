import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { createRevisionFinder } from './snapshotRevision';
import { RealEtcd, run, startEtcd } from './__testUtils__/realEtcd';

async function found(file: string, block = 64 << 10) {
  const finder = createRevisionFinder();
  const bytes = (await readFile(file)).subarray(0, -32);
  for (let at = 0; at < bytes.length; at += block) {
    finder.update(bytes.subarray(at, at + block));
  }
  return finder.revision();
}

async function etcdutl(file: string): Promise<number> {
  const status = await run('etcdutl', [
    'snapshot',
    'status',
    file,
    '-w',
    'json',
  ]);
  return JSON.parse(status).revision;
}

describe('createRevisionFinder', () => {
  let etcd: RealEtcd;
  let folder: string;
  let count = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cb-snapshots-'));
    etcd = await startEtcd(1);
  });
  afterAll(async () => {
    await etcd?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function save() {
    const file = join(folder, `${count++}.db`);
    await etcd.tool('etcdctl', 'snapshot', 'save', file);
    return file;
  }

  async function put(keys: number, size: number, prefix = '/registry/') {
    const numbers = Array.from({ length: keys }, (_, i) => i);
    const one = (i: number) =>
      etcd.client.put(`${prefix}${i}`).value(Buffer.alloc(size, i));
    while (numbers.length > 0) {
      await Promise.all(numbers.splice(0, 50).map(one));
    }
  }

  it('agrees with etcdutl on stores of all kinds', async () => {
    const empty = await save();
    expect(await etcdutl(empty)).toBe(0);
    // etcd itself begins at revision 1.
    expect(await found(empty)).toBe(1);

    await etcd.client.put('/registry/one').value('1');
    const single = await save();
    expect(await found(single)).toBe(2);
    expect(await etcdutl(single)).toBe(2);

    await put(3000, 700);
    await put(3, 1_200_000, '/large/');
    await put(500, 300);
    for (let round = 0; round < 3; round++) {
      const { header } = await etcd.client
        .delete()
        .prefix(`/registry/${round}`);
      await put(400, 100 + round * 3000, `/more/${round}/`);
      await etcd.client.kv.compact({ revision: header.revision });
      const file = await save();
      const expected = await etcdutl(file);
      expect(expected).toBeGreaterThan(3000);
      expect(await found(file)).toBe(expected);
      expect(await found(file, 512 << 10)).toBe(expected);
      expect(await found(file, 1 << 30)).toBe(expected);
    }

    // A deletion is the last that happened.
    await etcd.client.delete().key('/registry/one');
    const deletion = await save();
    expect(await found(deletion)).toBe(await etcdutl(deletion));
  });

  it('sees the revision of a store whose every key was deleted and compacted', async () => {
    const { header } = await etcd.client.delete().all();
    const revision = Number(header.revision);
    await etcd.client.kv.compact({ revision, physical: true });
    expect(await found(await save())).toBe(revision);
  });

  it('agrees on a snapshot taken while the store is written to', async () => {
    await put(2000, 3000);
    let stop = false;
    const writing = (async () => {
      for (let round = 0; !stop; round++) {
        await put(200, 2000, `/busy/${round % 7}/`);
        if (round % 5 === 4) {
          const { header } = await etcd.client.delete().prefix('/busy/1');
          await etcd.client.kv.compact({
            revision: Number(header.revision) - 300,
          });
        }
      }
    })();
    for (let i = 0; i < 4; i++) {
      const file = await save();
      expect(await found(file)).toBe(await etcdutl(file));
    }
    stop = true;
    await writing;
  });

  it('agrees on a store restored with raised revisions', async () => {
    const file = await save();
    const data = join(folder, 'restored');
    await run('etcdutl', [
      'snapshot',
      'restore',
      file,
      '--data-dir',
      data,
      '--bump-revision',
      '1000000000',
      '--mark-compacted',
    ]);
    const restored = await startEtcd(1, {
      dataFrom: data,
      flags: ['--force-new-cluster'],
    });
    try {
      const before = await etcdutl(file);
      const bumped = join(folder, 'bumped.db');
      await restored.tool('etcdctl', 'snapshot', 'save', bumped);
      expect(await found(bumped)).toBe(before + 1_000_000_000);
      expect(await etcdutl(bumped)).toBe(before + 1_000_000_000);
    } finally {
      await restored.close();
    }
  });

  it('makes nothing of damaged files, and never throws', async () => {
    const file = await readFile(await save());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), {
          maxLength: 40,
        }),
        fc.nat(64),
        (changes, cut) => {
          const bytes = Buffer.from(
            file.subarray(0, Math.min(file.length, 256 << 10) - cut),
          );
          for (const [at, value] of changes) {
            bytes[at % Math.min(bytes.length, 24_000)] = value;
          }
          const finder = createRevisionFinder();
          for (let at = 0; at < bytes.length; at += 64 << 10) {
            finder.update(bytes.subarray(at, at + (64 << 10)));
          }
          const revision = finder.revision();
          expect(revision === undefined || revision >= 1).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
