import { execFile } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { throughDisk } from './spool';

const TRANSFORM = ['--require', '@backstage/cli/config/nodeTransform.cjs'];
const SPOOL_ENDLESSLY = join(__dirname, '__testUtils__', 'spoolEndlessly.ts');
const MIB = 1024 * 1024;

let directory: string;
const spool = () =>
  join(directory, `cluster-backup-spool-${process.getuid!()}`);
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Every byte is told from its neighbors. */
function blockAt(index: number): Buffer {
  const block = Buffer.alloc(100_003);
  for (let at = 0; at < block.length; at++) block[at] = (at * 31 + index) % 251;
  return block;
}

async function* source(count: number, onEnd = () => {}) {
  for (let index = 0; index < count; index++) yield blockAt(index);
  onEnd();
}

async function gathered(chunks: AsyncIterable<Uint8Array>) {
  const taken: Uint8Array[] = [];
  for await (const chunk of chunks) taken.push(chunk);
  return Buffer.concat(taken);
}

const wanted = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, index) => blockAt(index)));

it('reads its source to the end while a taker is slow, and gives it every byte in turn', async () => {
  let endedAt = 0;
  const begun = performance.now();
  const names: string[][] = [];
  const behind: number[] = [];
  const result = await throughDisk(
    directory,
    source(40, () => {
      endedAt = performance.now();
    }),
    async chunks => {
      const taken: Uint8Array[] = [];
      for await (const chunk of chunks) {
        taken.push(chunk);
        // 4 MiB a second.
        await sleep((chunk.length / (4 * MIB)) * 1000);
        names.push(await readdir(spool()));
      }
      return Buffer.concat(taken);
    },
    ({ taken, total }) => behind.push((total ?? Infinity) - taken),
  );
  const took = performance.now() - begun;
  expect(result.equals(wanted(40))).toBe(true);
  expect(took).toBeGreaterThan(900);
  expect(endedAt - begun).toBeLessThan(took / 2);
  expect(behind.at(-1)).toBe(0);
  // What it writes has no name that anybody could open.
  expect(names.flat()).toEqual([]);
  expect((await stat(spool())).mode & 0o777).toBe(0o700);
});

it('waits for a source that is slower than the taker', async () => {
  async function* slowly() {
    for await (const block of source(5)) {
      await sleep(20);
      yield block;
    }
  }
  const result = await throughDisk(directory, slowly(), gathered);
  expect(result.equals(wanted(5))).toBe(true);
});

it('ends with its source, and with its taker', async () => {
  const why = new Error('etcd died');
  async function* failing() {
    yield blockAt(0);
    throw why;
  }
  const inItsWords = async (chunks: AsyncIterable<Uint8Array>) => {
    await gathered(chunks).catch(() => {
      throw new Error('The upload was aborted.');
    });
  };
  await expect(throughDisk(directory, failing(), inItsWords)).rejects.toBe(why);

  const full = new Error('The store is full.');
  async function* silent() {
    yield blockAt(0);
    await new Promise(() => {});
  }
  await expect(
    throughDisk(directory, silent(), async chunks => {
      for await (const _ of chunks) throw full;
    }),
  ).rejects.toBe(full);
});

it('uses a folder of its own user alone, and sweeps what a killed process left', async () => {
  await mkdir(spool(), { mode: 0o700 });
  const left = join(spool(), 'ab'.repeat(8));
  const fresh = join(spool(), 'cd'.repeat(8));
  await writeFile(left, 'x');
  await writeFile(fresh, 'x');
  const before = new Date(Date.now() - 120_000);
  await utimes(left, before, before);
  await throughDisk(directory, source(1), gathered);
  expect(await readdir(spool())).toEqual(['cd'.repeat(8)]);

  await chmod(spool(), 0o755);
  await expect(
    throughDisk(directory, source(1), gathered),
  ).rejects.toMatchObject({
    code: 'spool-unavailable',
    message: expect.stringContaining("of this process's user alone"),
  });
  await writeFile(join(directory, 'file'), '');
  await expect(
    throughDisk(join(directory, 'file'), source(1), gathered),
  ).rejects.toMatchObject({ code: 'spool-unavailable' });
});

it('says that its disk is full, of which size, and after how much', async () => {
  const { stdout } = await promisify(execFile)('unshare', [
    '-m',
    'sh',
    '-c',
    'mount -t tmpfs -o size=4m tmpfs "$0" && "$@" && df --output=used "$0" | tail -1',
    directory,
    process.execPath,
    ...TRANSFORM,
    SPOOL_ENDLESSLY,
    directory,
  ]);
  const [result, used] = stdout.trim().split('\n');
  expect(JSON.parse(result)).toMatchObject({
    code: 'spool-full',
    message: expect.stringMatching(
      /The disk of .*cluster-backup-spool-\d+.* was full after 4 MiB\. Of its 4 MiB, 0 MiB are free\.$/,
    ),
    details: { size: 4 * MIB },
  });
  expect(used.trim()).toBe('0');
});
