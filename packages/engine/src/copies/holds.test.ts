import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { encodeSummary, keyFingerprint, summaryName } from '../archive';
import {
  sample,
  signingKey,
  writeSample,
} from '../archive/__testUtils__/sampleArchive';
import { ClusterBackupError } from '../errors';
import { BackupStore, openFilesystemStore } from '../store';
import {
  copyBackup,
  findArchives,
  findHolds,
  holdBackup,
  releaseBackup,
  sweepStore,
} from '.';

const KEY = 'default/lab/abababab/lab_backup_2026-11-22T141500Z.tar.gz';
const BESIDE = `${KEY}.hold.json`;
const hold = {
  by: 'user:default/ada',
  at: '2026-11-23T09:30:00.000Z',
  reason: 'Before the migration – "last known good"\nkeep until March',
};
const future = () => new Date(Date.now() + 60_000);
const away = new ClusterBackupError({
  code: 'store-unavailable',
  message: 'The disk does not answer.',
  state: 'Nothing was changed.',
  remedy: 'Look at the disk.',
});

let folder: string;
let stores: BackupStore[];
let bytes: Buffer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
  stores = await Promise.all(
    ['here', 'there'].map(id =>
      openFilesystemStore({ id, path: join(folder, id) }),
    ),
  );
  const archive = await writeSample(sample(Buffer.alloc(3000)), [], {
    dangerouslyStoreUnencrypted: true,
  });
  bytes = archive.bytes;
  for (const store of stores) {
    await store.put(KEY, Readable.from([bytes]));
    const summary = encodeSummary(archive.summary);
    await store.put(summaryName(KEY), Readable.from([summary]));
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const opening = (...some: Array<BackupStore | ClusterBackupError>) =>
  some.map((store, index) => ({
    id: ['here', 'there'][index],
    async open() {
      if (store instanceof Error) throw store;
      return store;
    },
  }));
const keep = (...some: Array<BackupStore | ClusterBackupError>) =>
  holdBackup({ stores: opening(...some), key: KEY, hold });
const release = (...some: Array<BackupStore | ClusterBackupError>) =>
  releaseBackup({ stores: opening(...some), key: KEY });

async function all<T>(found: AsyncIterable<T>): Promise<T[]> {
  const items = [];
  for await (const item of found) items.push(item);
  return items;
}
const heldIn = (store: BackupStore) => all(findHolds(store));

/** A store that fails at one thing. */
const failingAt = (what: 'put' | 'head' | 'remove', store: BackupStore) =>
  Object.assign(Object.create(store), {
    [what]: async () => {
      throw away;
    },
  });

it('lies in every store that has a copy, is found there, and is released', async () => {
  const [here, there] = stores;
  expect(await keep(here, there)).toEqual([
    { store: 'here' },
    { store: 'there' },
  ]);
  for (const store of stores) {
    expect(await heldIn(store)).toEqual([{ key: KEY, hold }]);
    expect(await all(findArchives(store, ''))).toEqual([
      expect.objectContaining({ key: KEY, hasSummary: true, isHeld: true }),
    ]);
  }
  await expect(keep(here, there)).rejects.toMatchObject({
    code: 'backup-held',
    details: hold,
  });

  expect(await release(here, there)).toBe(true);
  for (const store of stores) expect(await heldIn(store)).toEqual([]);
  expect(await release(here, there)).toBe(false);
  expect((await stat(join(folder, 'here', KEY))).size).toBe(bytes.length);
});

it.each([
  ['cannot be opened', () => away, 'store-unavailable'],
  [
    'takes nothing',
    (store: BackupStore) => failingAt('put', store),
    'store-unavailable',
  ],
  [
    'does not answer',
    (store: BackupStore) => failingAt('head', store),
    'store-unavailable',
  ],
])('is in the other store when one %s', async (_, wrong, code) => {
  const [here, there] = stores;
  expect(await keep(here, wrong(there))).toEqual([
    { store: 'here' },
    { store: 'there', problem: expect.objectContaining({ code }) },
  ]);
  expect(await heldIn(here)).toHaveLength(1);
  await expect(keep(here, there)).rejects.toMatchObject({
    code: 'backup-held',
  });
  await release(here);
  await expect(keep(wrong(here), wrong(there))).rejects.toMatchObject({
    code: 'hold-not-stored',
    message: expect.stringMatching(/here: .*there: The disk does not answer/),
    details: { here: code, there: code },
  });
});

it('comes with the copy that a store did not have', async () => {
  const [here, there] = stores;
  await there.remove(KEY);
  await there.remove(summaryName(KEY));
  expect(await keep(here, there)).toEqual([
    { store: 'here' },
    {
      store: 'there',
      problem: expect.objectContaining({ code: 'copy-missing' }),
    },
  ]);
  expect(await heldIn(there)).toEqual([]);
  const trustedSigners = [keyFingerprint(signingKey)];
  await copyBackup({ from: here, to: there, key: KEY, trustedSigners });
  expect(await heldIn(there)).toEqual([{ key: KEY, hold }]);
});

it.each([
  ['cannot be opened', () => away],
  ['does not answer', (store: BackupStore) => failingAt('head', store)],
  ['removes nothing', (store: BackupStore) => failingAt('remove', store)],
])('is not released while a store %s', async (_, wrong) => {
  const [here, there] = stores;
  await keep(here, there);
  await expect(release(here, wrong(there))).rejects.toMatchObject({
    code: 'hold-not-released',
    message: expect.stringMatching(/not gone from there\. there: The disk/),
    details: { there: 'store-unavailable' },
  });
  expect(await heldIn(here)).toEqual([]);
  expect(await heldIn(there)).toHaveLength(1);
  expect(await release(here, there)).toBe(true);
});

const written = (change: object) =>
  JSON.stringify({ formatVersion: 1, ...hold, ...change });

it.each([
  ['is empty', ''],
  ['is cut', written({}).slice(0, -5)],
  ['is of a later format', written({ formatVersion: 2 })],
  ['says no reason', written({ reason: ' ' })],
  ['says too much', written({ reason: 'x'.repeat(501) })],
  ['is not of anybody', written({ by: undefined })],
  ['is of no time', written({ at: '2026-99-99T00:00:00.000Z' })],
  ['is far too large', written({ more: 'x'.repeat(20_000) })],
])('holds all the same when what is in the store %s', async (_, content) => {
  const [here, there] = stores;
  await writeFile(join(folder, 'here', BESIDE), content);
  expect(await heldIn(here)).toEqual([
    {
      key: KEY,
      hold: {
        by: 'unknown',
        at: expect.stringMatching(/^\d{4}-.*Z$/),
        reason: expect.stringMatching(/^What store here has .* cannot be read/),
      },
    },
  ]);
  await expect(keep(here, there)).rejects.toMatchObject({
    code: 'backup-held',
    details: { by: 'unknown' },
  });
  expect(await release(here, there)).toBe(true);
});

it('is only what lies beside an archive’s name', async () => {
  const [here] = stores;
  await writeFile(join(folder, 'here', 'notes.hold.json'), written({}));
  expect(await heldIn(here)).toEqual([]);
});

it('keeps an archive from being swept', async () => {
  const [here, there] = stores;
  for (const store of stores) await store.remove(summaryName(KEY));
  await writeFile(join(folder, 'here', BESIDE), 'unreadable');
  expect(await sweepStore(here, future())).toEqual([]);
  expect(await sweepStore(there, future())).toEqual([KEY]);

  // It gets one while the list is being gone through.
  await release(here);
  const late = Object.assign(Object.create(here), {
    async *list(prefix: string) {
      yield* here.list(prefix);
      await keep(here);
    },
  });
  expect(await sweepStore(late, future())).toEqual([]);
  expect(await here.head(KEY)).toBeDefined();
});
