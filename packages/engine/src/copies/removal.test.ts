import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { encodeSummary, summaryName } from '../archive';
import { sample, writeSample } from '../archive/__testUtils__/sampleArchive';
import { BackupStore, openFilesystemStore, StoredFile } from '../store';
import { findArchives, holdBackup, removeBackup } from '.';

const KEY = 'default/lab/abababab/lab_backup_2026-11-22T141500Z.tar.gz';

let folder: string;
let here: BackupStore;
let there: BackupStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
  [here, there] = await Promise.all(
    ['here', 'there'].map(id =>
      openFilesystemStore({ id, path: join(folder, id) }),
    ),
  );
  const archive = await writeSample(sample(Buffer.alloc(3000)), [], {
    dangerouslyStoreUnencrypted: true,
  });
  for (const store of [here, there]) {
    await store.put(KEY, Readable.from([archive.bytes]));
    const summary = encodeSummary(archive.summary);
    await store.put(summaryName(KEY), Readable.from([summary]));
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const opening = (...stores: BackupStore[]) =>
  stores.map(store => ({ id: store.id, open: async () => store }));
const remove = (...stores: BackupStore[]) =>
  removeBackup({ stores: opening(...stores), key: KEY });

async function filesIn(store: BackupStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list('')) found.push(key);
  return found.sort();
}
const all = [KEY, summaryName(KEY)];

/** A store that does one thing otherwise. */
const but = (store: BackupStore, other: Partial<BackupStore>): BackupStore =>
  Object.assign(Object.create(store), other);

it('goes from every store, and is gone when it is removed again', async () => {
  await remove(here, there);
  expect(await filesIn(here)).toEqual([]);
  expect(await filesIn(there)).toEqual([]);
  await remove(here, there);
});

it('stays in all stores as long as its hold is in one', async () => {
  const hold = {
    by: 'user:default/ada',
    at: '2026-11-23T09:30:00.000Z',
    reason: 'audit',
  };
  await holdBackup({ stores: opening(there), key: KEY, hold });
  await expect(remove(here, there)).rejects.toMatchObject({
    code: 'backup-held',
    message: expect.stringContaining('there'),
  });
  expect(await filesIn(here)).toEqual(all);
});

it.each([
  ['archive', KEY],
  ['summary', summaryName(KEY)],
])('stays in all stores until the lock of its %s ends', async (_, locked) => {
  const until = new Date(Date.now() + 86_400_000);
  const locking = but(there, {
    async head(key): Promise<StoredFile | undefined> {
      const file = await there.head(key);
      return file && key === locked ? { ...file, lockedUntil: until } : file;
    },
  });
  await expect(remove(here, locking)).rejects.toMatchObject({
    code: 'backup-locked',
    message: expect.stringContaining(`kept until ${until.toISOString()}`),
    details: { key: KEY, until: until.toISOString() },
  });
  expect(await filesIn(here)).toEqual(all);
});

it('stays in all stores when one of them does not answer', async () => {
  const silent = but(there, {
    head: async () => {
      throw new Error('no answer');
    },
  });
  await expect(remove(here, silent)).rejects.toMatchObject({
    code: 'backup-not-removable',
    details: { there: 'store-failed' },
  });
  expect(await filesIn(here)).toEqual(all);
});

it('is no backup any more when it was removed half, and goes the next time', async () => {
  const killed = but(there, {
    remove: async key => {
      if (key === KEY) throw new Error('killed');
      await there.remove(key);
    },
  });
  await expect(remove(here, killed)).rejects.toMatchObject({
    code: 'backup-not-removed',
  });
  expect(await filesIn(there)).toEqual([KEY]);
  for await (const { hasSummary } of findArchives(there, '')) {
    expect(hasSummary).toBe(false);
  }
  await remove(here, there);
  expect(await filesIn(there)).toEqual([]);
});
