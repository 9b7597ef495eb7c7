import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  ArchiveSummary,
  generateAgeKey,
  keyFingerprint,
  summaryName,
} from '../archive';
import {
  sample,
  signingKey,
  writeSample,
} from '../archive/__testUtils__/sampleArchive';
import { ClusterBackupError } from '../errors';
import { ProgressEvent } from '../progress';
import { BackupStore, openFilesystemStore } from '../store';
import {
  commitCopies,
  Copy,
  copyBackup,
  copyOf,
  findArchives,
  findUnrecorded,
  openCopies,
  openOneCopy,
  proveCopies,
  refuseWithoutCopy,
  sweepStore,
  verifyCopy,
  writeCopies,
} from '.';

const KEY = 'default/lab/abababab/lab_backup_2026-11-22T141500Z.tar.gz.age';
const trustedSigners = [keyFingerprint(signingKey)];
const { signal } = new AbortController();

let folder: string;
let stores: BackupStore[];
let bytes: Buffer;
let summary: ArchiveSummary;
let identity: string;

beforeAll(async () => {
  const pair = await generateAgeKey();
  identity = pair.identity;
  const snapshot = Buffer.alloc(3_000_000, 'a snapshot that is long enough ');
  ({ bytes, summary } = await writeSample(sample(snapshot), [pair.recipient]));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
  stores = await Promise.all(
    ['here', 'there', 'vault'].map(id =>
      openFilesystemStore({ id, path: join(folder, id) }),
    ),
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** In pieces as they come from the encryption. */
const archive = () =>
  Readable.from(
    (function* pieces() {
      for (let at = 0; at < bytes.length; at += 4096) {
        yield bytes.subarray(at, at + 4096);
      }
    })(),
  );

async function backUpInto(into: BackupStore[]): Promise<Copy[]> {
  const open = await openCopies(
    into.map(store => ({ id: store.id, open: async () => store })),
  );
  const patienceMs = 300;
  const written = await writeCopies(open, KEY, archive(), {
    signal,
    patienceMs,
  });
  const proven = await proveCopies(written, KEY, summary, signal);
  refuseWithoutCopy(proven);
  const copies = await commitCopies(proven, KEY, summary);
  refuseWithoutCopy(copies);
  return copies.map(copyOf);
}

const keysOf = async (store: BackupStore) => {
  const keys = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
};
const verify = (store: BackupStore, keys?: { identities: string[] }) =>
  verifyCopy({ store, key: KEY, trustedSigners, keys });

/** A store of which one thing is not as it should be. */
const but = (store: BackupStore, wrong: Partial<BackupStore>): BackupStore =>
  Object.assign(Object.create(store), wrong);

const full = new ClusterBackupError({
  code: 'store-full',
  message: 'The store is full.',
  state: 'Nothing was kept.',
  remedy: 'Free space.',
});

it('stores the same in all stores, and what was stored can be proven', async () => {
  expect(await backUpInto(stores)).toEqual([
    { store: 'here' },
    { store: 'there' },
    { store: 'vault' },
  ]);
  for (const store of stores) {
    expect(await keysOf(store)).toEqual([KEY, summaryName(KEY)]);
    expect(await verify(store)).toEqual({ summary, depth: 'bytes' });
    const opened = await verify(store, { identities: [identity] });
    expect(opened.depth).toBe('contents');
  }
});

describe.each<[string, string, (store: BackupStore) => Partial<BackupStore>]>([
  [
    'is full in the middle',
    'store-full',
    () => ({
      async put(_key, source) {
        let taken = 0;
        for await (const chunk of source) {
          taken += chunk.length;
          if (taken > 20_000) throw full;
        }
        throw full;
      },
    }),
  ],
  [
    'hangs',
    'store-stalled',
    () => ({
      async put(_key, source) {
        for await (const _ of source) await new Promise(() => {});
        throw full;
      },
    }),
  ],
  [
    'loses its last bytes and says that all is well',
    'copy-damaged',
    store => ({
      put: (key, source) =>
        store.put(
          key,
          key.endsWith('.json') ? source : cut(source, bytes.length - 1),
        ),
    }),
  ],
  [
    'stores nothing and says that all is well',
    'store-file-missing',
    () => ({
      async put(key, source) {
        let size = 0;
        for await (const chunk of source) size += chunk.length;
        return { key, size, modifiedAt: new Date() };
      },
    }),
  ],
  [
    'gives other bytes back',
    'copy-damaged',
    store => ({
      async get(key) {
        const there = await readAll(await store.get(key));
        there[100] ^= 1;
        return Readable.from([there]);
      },
    }),
  ],
  [
    'takes the archive and no summary',
    'store-full',
    store => ({
      async put(key, source) {
        if (key.endsWith('.json')) throw full;
        return store.put(key, source);
      },
    }),
  ],
])('with a store that %s', (_, code, wrong) => {
  it('leaves it behind, says why, and has the other copies', async () => {
    const [here, there, vault] = stores;
    const copies = await backUpInto([here, but(there, wrong(there)), vault]);
    expect(copies).toEqual([
      { store: 'here' },
      { store: 'there', problem: expect.objectContaining({ code }) },
      { store: 'vault' },
    ]);
    expect(await keysOf(there)).not.toContain(summaryName(KEY));
    await verify(here);
    await verify(vault);

    // It is made good once the store is.
    for (const left of await keysOf(there)) await there.remove(left);
    await copyBackup({ from: here, to: there, key: KEY, trustedSigners });
    await verify(there);
  });

  it('has no backup where there is no other', async () => {
    const [, there] = stores;
    const only = but(there, wrong(there));
    await expect(backUpInto([only])).rejects.toMatchObject({ code });
    await expect(
      backUpInto([only, but(stores[0], wrong(stores[0]))]),
    ).rejects.toMatchObject({
      code: 'no-copy-stored',
      message: expect.stringMatching(/there: .*here: /s),
    });
  });
});

it('has the disk between a slow store and the others, and a disk that fails harms only its own copy', async () => {
  const [here, there, vault] = stores;
  const at: Record<string, number> = {};
  const slow = but(there, {
    async put(key, source) {
      async function* slowly() {
        for await (const chunk of source) {
          await sleep((chunk.length / bytes.length) * 700);
          yield chunk;
        }
        at.slow = performance.now();
      }
      return there.put(key, slowly());
    },
  });
  const watched = Readable.from(
    (async function* read() {
      yield* archive();
      at.source = performance.now();
    })(),
  );
  const copies = await openCopies([
    { id: 'here', open: async () => here },
    { id: 'there', open: async () => slow, spool: { directory: folder } },
    {
      id: 'vault',
      open: async () => vault,
      spool: { directory: join(folder, 'here', '.cluster-backup-store') },
    },
  ]);
  await here.identity();
  const told: ProgressEvent[] = [];
  const written = await writeCopies(copies, KEY, watched, {
    signal,
    progress: event => told.push(event),
  });
  expect(written.map(({ problem }) => problem?.code)).toEqual([
    undefined,
    undefined,
    'spool-unavailable',
  ]);
  for (const store of [here, there]) {
    expect((await readAll(await store.get(KEY))).equals(bytes)).toBe(true);
  }
  expect(at.slow - at.source).toBeGreaterThan(300);
  expect(told.map(event => 'status' in event && event.status)).toEqual(
    expect.arrayContaining(['started', false, 'done']),
  );
});

it('uses the stores that can be opened', async () => {
  const copies = await openCopies([
    { id: 'here', open: async () => stores[0] },
    {
      id: 'gone',
      open: async () => {
        throw full;
      },
    },
  ]);
  expect(copies.map(({ problem }) => problem?.code)).toEqual([
    undefined,
    'store-full',
  ]);
});

describe('what was stored', () => {
  const keys = () => ({ keys: { identities: [identity] }, signal });
  const stored = async (into: BackupStore[], what = bytes) => {
    const open = await openCopies(
      into.map(store => ({ id: store.id, open: async () => store })),
    );
    return writeCopies(open, KEY, Readable.from([what]), { signal });
  };

  it('is opened before it counts, where somebody has a key', async () => {
    const copies = await stored(stores);
    expect(await openOneCopy(copies, KEY, summary, keys())).toEqual(copies);
  });

  it('does not count when its bytes are those that were written and do not open', async () => {
    const unsound = Buffer.from(bytes);
    unsound[bytes.length >> 1] ^= 1;
    const sha256 = createHash('sha256').update(unsound).digest('hex');
    const ciphertext = { size: unsound.length, sha256 };
    const copies = await stored(stores, unsound);
    await expect(
      openOneCopy(copies, KEY, { ...summary, ciphertext }, keys()),
    ).rejects.toMatchObject({
      code: 'archive-unsound',
      message: expect.stringMatching(/ does not open: The archive .* altered/),
    });
  });

  it('is opened from the next store where one gives other bytes on the second read', async () => {
    const [here, there] = stores;
    const fickle = but(here, {
      async get() {
        const other = Buffer.from(bytes);
        other[100] ^= 1;
        return Readable.from([other]);
      },
    });
    const copies = await stored([fickle, there]);
    expect(await openOneCopy(copies, KEY, summary, keys())).toEqual([
      {
        id: 'here',
        problem: expect.objectContaining({ code: 'copy-damaged' }),
      },
      copies[1],
    ]);
  });
});

describe('a copy', () => {
  const file = (store: string, key = KEY) => join(folder, store, key);
  beforeEach(() => backUpInto(stores.slice(0, 1)));

  it('is found wherever it was altered', async () => {
    for (const at of [0, 40, 200, bytes.length >> 1, bytes.length - 1]) {
      const altered = Buffer.from(bytes);
      altered[at] ^= 0x10;
      await writeFile(file('here'), altered);
      await expect(verify(stores[0])).rejects.toMatchObject({
        code: 'copy-damaged',
      });
      await expect(
        copyBackup({
          from: stores[0],
          to: stores[1],
          key: KEY,
          trustedSigners,
        }),
      ).rejects.toMatchObject({ code: 'copy-damaged' });
      expect(await keysOf(stores[1])).toEqual([]);
    }
    await writeFile(file('here'), bytes.subarray(0, -7));
    await expect(verify(stores[0])).rejects.toMatchObject({
      code: 'copy-damaged',
      message: expect.stringContaining(`${bytes.length - 7} bytes where`),
    });
  });

  it('is refused under another name than its own, also with its true summary', async () => {
    const newer = KEY.replace('11-22', '11-23');
    await stores[0].put(newer, archive());
    await stores[0].put(
      summaryName(newer),
      Readable.from([await readFile(file('here', summaryName(KEY)))]),
    );
    await expect(
      verifyCopy({ store: stores[0], key: newer, trustedSigners }),
    ).rejects.toMatchObject({ code: 'summary-misplaced' });
  });

  it('is found under a name that somebody chose, and refused under any other', async () => {
    const [here] = stores;
    const folderOf = KEY.slice(0, KEY.lastIndexOf('/'));
    const name = 'before-upgrade.tar.gz.age';
    const named = sample(Buffer.alloc(3000));
    Object.assign(named.description, { name });
    const made = await writeSample(named, [], {
      dangerouslyStoreUnencrypted: true,
    });
    const encoded = Buffer.from(JSON.stringify(made.summary));
    const future = new Date(Date.now() + 60_000);
    const under = async (other: string) => {
      const key = `${folderOf}/${other}`;
      await here.put(key, Readable.from([made.bytes]));
      // Nobody can tell whose it is before its summary is there.
      expect(await sweepStore(here, future)).toEqual([]);
      await here.put(summaryName(key), Readable.from([encoded]));
      return verifyCopy({ store: here, key, trustedSigners });
    };
    expect((await under(name)).summary).toEqual(made.summary);
    await expect(under('after-upgrade.tar.gz.age')).rejects.toMatchObject({
      code: 'summary-misplaced',
    });
    const found = [];
    for await (const { key, hasSummary } of findArchives(here, '')) {
      found.push([key.slice(folderOf.length + 1), hasSummary]);
    }
    expect(found).toContainEqual([name, true]);
    const later = 'lab_backup_2026-11-22T141500Z.tar.zst.age';
    await here.put(`${folderOf}/${later}`, Readable.from([made.bytes]));
    await here.put(
      summaryName(`${folderOf}/${later}`),
      Readable.from([encoded]),
    );
    await expect(
      verifyCopy({ store: here, key: `${folderOf}/${later}`, trustedSigners }),
    ).rejects.toMatchObject({ code: 'summary-misplaced' });
  });

  it('is refused when nobody who is trusted signed it', async () => {
    await expect(
      verifyCopy({ store: stores[0], key: KEY, trustedSigners: ['SHA256:x'] }),
    ).rejects.toMatchObject({ code: 'summary-signer-untrusted' });
  });

  it('is an orphan without its summary, and swept when nobody can be writing it any more', async () => {
    const [here] = stores;
    await here.remove(summaryName(KEY));
    await here.put('default/lab/notes.txt', Readable.from([bytes]));
    const found = [];
    for await (const { key, hasSummary } of findArchives(here, 'default/')) {
      found.push({ key, hasSummary });
    }
    expect(found).toEqual([{ key: KEY, hasSummary: false }]);
    expect(await sweepStore(here, new Date(Date.now() - 60_000))).toEqual([]);
    expect(await sweepStore(here, new Date(Date.now() + 60_000))).toEqual([
      KEY,
    ]);
    expect(await keysOf(here)).toEqual(['default/lab/notes.txt']);
  });

  it('is not taken for what has the same name: a backup of bmctl is never swept', async () => {
    const [here] = stores;
    const bare = await writeSample(sample(Buffer.alloc(3000)), [], {
      dangerouslyStoreUnencrypted: true,
    });
    const ours = KEY.replace('.age', '');
    const theirs = 'lab_backup_2026-11-22T141500Z.tar.gz';
    await here.put(ours, Readable.from([bare.bytes.subarray(0, 3000)]));
    await here.put(theirs, Readable.from([gzipSync(Buffer.alloc(10_240))]));
    const future = new Date(Date.now() + 60_000);
    expect(await sweepStore(here, future)).toEqual([ours]);
    expect(await keysOf(here)).toContain(theirs);
  });

  it('is found when nobody has a record of it, if somebody who is trusted signed it', async () => {
    const look = async (
      recorded: string[],
      signers = trustedSigners,
      before = new Date(Date.now() + 60_000),
    ) => {
      const passed: string[] = [];
      const found = await findUnrecorded({
        store: stores[0],
        recorded,
        trustedSigners: signers,
        before,
        passedOver: (key, { code }) => passed.push(`${key} ${code}`),
      });
      return { found, passed };
    };
    const nothing = { found: [], passed: [] };
    expect(await look([])).toEqual({
      found: [{ key: KEY, summary }],
      passed: [],
    });
    expect(await look([KEY])).toEqual(nothing);
    const anHourAgo = new Date(Date.now() - 3_600_000);
    expect(await look([], trustedSigners, anHourAgo)).toEqual(nothing);
    expect(await look([], ['SHA256:x'])).toEqual({
      found: [],
      passed: [`${KEY} summary-signer-untrusted`],
    });
    await stores[0].remove(summaryName(KEY));
    expect(await look([])).toEqual(nothing);
  });

  it('is never swept with its summary', async () => {
    const future = new Date(Date.now() + 60_000);
    expect(await sweepStore(stores[0], future)).toEqual([]);
    await verify(stores[0]);
  });
});

async function* cut(source: AsyncIterable<Uint8Array>, size: number) {
  let left = size;
  for await (const chunk of source) {
    yield chunk.subarray(0, left);
    left -= Math.min(left, chunk.length);
  }
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
