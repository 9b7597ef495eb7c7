import { liveBytes } from '../__testUtils__/memory';
import { ArchivedFiles } from '../restore/ArchivedFiles';
import {
  FORGED_AT,
  forgeTar,
  json,
  resummed,
} from './__testUtils__/forgedArchive';
import { fileHeader, sampleDescription } from './__testUtils__/sampleArchive';
import { collected, inPieces } from './__testUtils__/streams';
import { gzip } from './gzip';
import { readArchive } from './reader';
import { encodeHeader, paddingOf, TarHeader } from './tar';
import { zstd } from './zstd';

/** How a tar ends that nothing else is wrong with: it is not encrypted, and its key would be nobody's. */
async function endingOf(tar: Buffer): Promise<string> {
  try {
    await readArchive(gzip(inPieces(tar, 65536), 1), {});
    return 'read';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

const header = (name: string, more: Partial<TarHeader> = {}) =>
  encodeHeader({
    name,
    type: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: FORGED_AT,
    ...more,
  });
const flagged = (block: Buffer, flag: string) => {
  block.write(flag, 156);
  return resummed(block);
};
const entry = (block: Buffer, content: Buffer) =>
  Buffer.concat([block, content, paddingOf(content.length)]);
const description = json(sampleDescription(1 << 20));
const begun = entry(
  header('backup.json', { size: description.length }),
  description,
);
const after = (...blocks: Buffer[]) =>
  endingOf(Buffer.concat([begun, ...blocks]));

it('takes what nothing is wrong with', async () => {
  expect(await endingOf(forgeTar({}))).toBe('read');
});

it.each([
  ['a hard link', '1'],
  ['a character device', '3'],
  ['a block device', '4'],
  ['a FIFO', '6'],
  ['a contiguous file', '7'],
  ['a sparse file of GNU', 'S'],
  ['a long name of GNU', 'L'],
  ['a long link of GNU', 'K'],
  ['a volume of GNU', 'M'],
  ['a list of names of GNU', 'D'],
  ['a PAX header for all', 'g'],
  ['no kind of entry', 's'],
  ['an old kind of file', '\0'],
])('refuses %s', async (_, flag) => {
  expect(await after(flagged(header('nodes/cp1/etc/a'), flag))).toBe(
    'archive-altered',
  );
});

it.each([
  ['GNU.sparse.major', '22 GNU.sparse.major=1\n'],
  ['GNU.sparse.realsize', '35 GNU.sparse.realsize=1099511627776\n'],
  ['a size', '19 size=1000000000\n'],
  ['a member that nobody knows', '14 other=here\n'],
  ['a record that is longer than it says', '9 path=nodes/cp1/b\n'],
  ['a record without end', '99999999 path=a\n'],
])('refuses a PAX header with %s', async (_, records) => {
  const content = Buffer.from(records);
  const pax = flagged(header('PaxHeader', { size: content.length }), 'x');
  expect(await after(entry(pax, content), header('nodes/cp1/etc/a'))).toBe(
    'archive-altered',
  );
});

it.each<[string, Buffer]>([
  ['a PAX header', flagged(header('PaxHeader', { size: 2 ** 33 }), 'x')],
  ['a list of objects', header('cluster/objects.json', { size: 2 ** 33 })],
  [
    'a snapshot that was not announced',
    header('etcd/snapshot.db', { size: 2 ** 50 }),
  ],
])('holds nothing of %s that announces gigabytes', async (_, block) => {
  expect(await after(block)).toBe('archive-altered');
});

it('holds nothing of a description that announces gigabytes', async () => {
  const block = header('backup.json', { size: 2 ** 33 });
  expect(await endingOf(block)).toBe('archive-altered');
});

it('refuses a hundred thousand entries', async () => {
  const many = Array.from({ length: 100_001 }, (_, i) =>
    header(`nodes/cp1/${i}`),
  );
  const tar = Buffer.concat([begun, ...many]);
  await expect(readArchive(gzip(inPieces(tar, 65536), 1), {})).rejects.toThrow(
    'more than 100000 entries',
  );
});

it.each([
  ['gzip', gzip],
  ['zstd', zstd],
])('keeps memory flat while a bomb of %s goes off', async (_, compress) => {
  const MIB = 1 << 20;
  async function* zeros() {
    yield begun;
    yield header('nodes/cp1/etc/bomb', { size: 256 * MIB });
    for (let i = 0; i < 256; i++) yield Buffer.alloc(MIB);
  }
  const bomb = await collected(compress(zeros(), 1));
  expect(bomb.length).toBeLessThan(2 * MIB);
  const before = await liveBytes();
  let peak = 0;
  let passed = 0;
  await expect(
    readArchive(
      inPieces(bomb, 65536),
      {},
      {
        async nodeFile(_node, _header, content) {
          for await (const chunk of content) {
            passed += chunk.length;
            if (passed % (32 * MIB) < chunk.length) {
              peak = Math.max(peak, await liveBytes());
            }
          }
        },
      },
    ),
  ).rejects.toMatchObject({ code: 'archive-truncated' });
  expect(passed).toBe(256 * MIB);
  expect((peak - before) / MIB).toBeLessThan(64);
});

it('holds no more files of a node than a backup has', async () => {
  const files = new ArchivedFiles();
  const content = inPieces(Buffer.alloc(0), 1);
  await expect(
    files.take('cp1', fileHeader('/etc/bomb', 256 << 20), content),
  ).rejects.toMatchObject({ code: 'archive-altered' });
});
