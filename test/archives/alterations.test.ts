import { isDeepStrictEqual } from 'node:util';
import {
  ArchiveProof,
  generateAgeKey,
  parseArchiveName,
} from '@cluster-backup/engine';
import fc from 'fast-check';
import { allFixtures, Fixture } from './fixtures';
import {
  chunksOfAge,
  decrypted,
  encrypted,
  entriesOf,
  Entry,
  flipped,
  packed,
  Part,
  partsOfAge,
  placesIn,
  resummed,
  tarOf,
  unpacked,
  withContent,
  withEntry,
} from './opponent';
import { readingOf, verdict, verdictOfBoth } from './verdict';

jest.setTimeout(180_000);

/** `whole` turns more bits of more bytes; the classes are the same. */
const isWhole = process.env.ARCHIVES !== 'short';
const PLACES = isWhole ? 400 : 24;
const RUNS = isWhole ? 3000 : 150;

const of = (end: string): Fixture =>
  allFixtures().find(
    ({ name, title }) => title.startsWith('format-1') && name.endsWith(end),
  )!;
const gzipped = of('.tar.gz.age');
const zstandard = of('.tar.zst.age');
const unencrypted = of('.tar.gz');
const keysOf = ({ name, identity }: Fixture) =>
  parseArchiveName(name)!.encrypted ? [identity] : undefined;

/** Every alteration, each with the code that a reading of it ended with. */
async function readingsOf(
  alterations: Array<[string, Buffer]>,
  identities?: string[],
): Promise<string[]> {
  const told: string[] = [];
  for (const [what, bytes] of alterations) {
    told.push(`${what}: ${await verdict({ bytes, identities })}`);
  }
  return told;
}

const flipsIn = (bytes: Buffer, where: Part): Array<[string, Buffer]> =>
  placesIn(where, PLACES).map(at => [`byte ${at}`, flipped(bytes, at)]);

/** All of these end so. */
function expectAll(told: string[], code: RegExp) {
  expect(told.length).toBeGreaterThan(0);
  expect(told.filter(line => !code.test(line))).toEqual([]);
}

it.each(allFixtures().map(fixture => [fixture.title, fixture] as const))(
  '%s is proven as it is',
  async (_, fixture) => {
    expect(await verdictOfBoth(fixture)).toBe('proven');
  },
);

describe.each([
  ['gzip', gzipped],
  ['zstd', zstandard],
] as const)('an encrypted archive (%s)', (_, fixture) => {
  const { bytes, identity } = fixture;
  const { head, chunks } = chunksOfAge(bytes);

  it.each([
    ['version', 0, /not-ours$/],
    ['recipient', 0, /(altered|wrong-key)$/],
    ['wrapped key', 0, /(altered|wrong-key)$/],
    ['mac', 0, /(altered|truncated)$/],
    ['nonce', 0, /altered$/],
    ['first chunk', 0, /altered$/],
    ['first tag', 0, /altered$/],
    ['middle chunk', 0, /altered$/],
    ['middle tag', 0, /altered$/],
    // Cut or altered: a file that ends inside a chunk can not tell.
    ['last chunk', 0, /truncated$/],
    ['last tag', 0, /truncated$/],
  ])('with a bit turned in its %s', async (name, __, code) => {
    const where = partsOfAge(bytes).find(each => each.name === name)!;
    expectAll(await readingsOf(flipsIn(bytes, where), [identity]), code);
  });

  it('that is cut anywhere', async () => {
    const ends = partsOfAge(bytes).flatMap(({ start, end }) => [
      start,
      start + 1,
      end - 1,
      end,
    ]);
    const some = placesIn({ name: '', start: 0, end: bytes.length }, PLACES);
    const cuts = [...new Set([...ends, ...some])].filter(
      at => at < bytes.length,
    );
    expectAll(
      await readingsOf(
        cuts.map(at => [`at ${at}`, bytes.subarray(0, at)]),
        [identity],
      ),
      /truncated$/,
    );
  });

  it.each<[string, (other: Fixture) => Buffer[], RegExp]>([
    [
      'chunks swapped',
      () => [head, chunks[1], chunks[0], ...chunks.slice(2)],
      /altered$/,
    ],
    ['its first chunk left out', () => [head, ...chunks.slice(1)], /altered$/],
    [
      'its last chunk left out',
      () => [head, ...chunks.slice(0, -1)],
      /truncated$/,
    ],
    ['a chunk doubled', () => [head, chunks[0], ...chunks], /altered$/],
    [
      'its last chunk doubled',
      () => [head, ...chunks, chunks.at(-1)!],
      /(altered|truncated)$/,
    ],
    ['a byte more', () => [bytes, Buffer.alloc(1)], /truncated$/],
    ['a chunk of zeros more', () => [bytes, Buffer.alloc(65552)], /altered$/],
    [
      "another archive's chunk",
      other => [head, chunksOfAge(other.bytes).chunks[0], ...chunks.slice(1)],
      /altered$/,
    ],
    [
      "another archive's header",
      other => [chunksOfAge(other.bytes).head, ...chunks],
      /altered$/,
    ],
  ])('with %s', async (__, parts, code) => {
    const other = fixture === gzipped ? zstandard : gzipped;
    const told = await verdict({
      bytes: Buffer.concat(parts(other)),
      identities: [identity],
    });
    expect(told).toMatch(code);
  });

  it('with keys that are wrong, missing or of another archive', async () => {
    const { identity: other } = await generateAgeKey();
    expect(await verdict({ bytes, identities: [other] })).toBe(
      'archive-wrong-key',
    );
    expect(await verdict({ bytes, identities: [other, identity] })).toBe(
      'proven',
    );
    expect(await verdict({ bytes })).toBe('archive-key-missing');
  });
});

describe('compressed data, by somebody who knows the recipients', () => {
  let gzip: Buffer;
  let zstd: Buffer;
  let recipient: string;
  let identity: string;
  beforeAll(async () => {
    gzip = await decrypted(gzipped);
    zstd = await decrypted(zstandard);
    ({ identity, recipient } = await generateAgeKey());
  });
  const resealed = async (
    alterations: Array<[string, Buffer]>,
  ): Promise<string[]> => {
    const told: string[] = [];
    for (const [what, bytes] of alterations) {
      const sealed = await encrypted(bytes, recipient);
      const code = await verdict({ bytes: sealed, identities: [identity] });
      // Where nothing is encrypted the same holds.
      const bare = await verdict({ bytes });
      told.push(`${what}: ${code}`, `${what}, not encrypted: ${bare}`);
    }
    return told;
  };

  it('is taken as it is, and packed by other means', async () => {
    expectAll(
      await resealed([
        ['gzip', gzip],
        ['zstd', zstd],
        ['packed again', packed(unpacked(gzip))],
      ]),
      /proven$/,
    );
  });

  it.each<[string, () => Buffer, (bytes: Buffer) => Part, RegExp]>([
    ['gzip header', () => gzip, () => between(0, 10), /not-ours$/],
    [
      'gzip checksum',
      () => gzip,
      g => between(g.length - 8, g.length - 4),
      /altered$/,
    ],
    ['gzip size', () => gzip, g => between(g.length - 4, g.length), /altered$/],
    ['zstd magic', () => zstd, () => between(0, 4), /not-ours$/],
    [
      'zstd descriptor',
      () => zstd,
      () => between(4, 5),
      /(not-ours|altered|truncated)$/,
    ],
    ['zstd size of content', () => zstd, () => between(5, 9), /altered$/],
    [
      'zstd block header',
      () => zstd,
      () => between(9, 12),
      /(altered|truncated)$/,
    ],
    [
      'zstd checksum',
      () => zstd,
      z => between(z.length - 4, z.length),
      /altered$/,
    ],
  ])('with a bit turned in its %s', async (_, bytes, where, code) => {
    const whole = bytes();
    const flips = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(bit =>
      placesIn(where(whole), 10).map<[string, Buffer]>(at => [
        `byte ${at}, bit ${bit}`,
        flipped(whole, at, bit),
      ]),
    );
    expectAll(await resealed(flips), code);
  });

  it.each([
    ['gzip', () => gzip],
    ['zstd', () => zstd],
  ])('with a bit turned in its blocks (%s)', async (_, bytes) => {
    const whole = bytes();
    const { ciphertext: _own, ...honest } = (await readingOf({
      bytes: whole,
    })) as ArchiveProof;
    // Compressed data has bits that nothing depends on: what comes out is the same, and the summary tells the file.
    const wordFor = (reading: string | ArchiveProof) => {
      if (typeof reading === 'string') return reading;
      const { ciphertext: _other, ...content } = reading;
      return isDeepStrictEqual(content, honest) ? 'the same' : 'taken';
    };
    const told: string[] = [];
    for (const at of placesIn(between(12, whole.length - 8), PLACES)) {
      const reading = await readingOf({ bytes: flipped(whole, at) });
      told.push(`${at}: ${wordFor(reading)}`);
    }
    expectAll(
      told,
      /(archive-(altered|truncated|not-ours|newer-format)|the same)$/,
    );
  });

  it.each<[string, () => Buffer, RegExp]>([
    [
      'a second gzip member',
      () => Buffer.concat([gzip, packed(Buffer.alloc(0))]),
      /altered$/,
    ],
    ['a zstd frame after gzip', () => Buffer.concat([gzip, zstd]), /altered$/],
    ['gzip after a zstd frame', () => Buffer.concat([zstd, gzip]), /altered$/],
    [
      'a frame that decoders skip',
      () =>
        Buffer.concat([zstd, Buffer.from('502a4d1804000000deadbeef', 'hex')]),
      /altered$/,
    ],
    ['its last byte missing', () => gzip.subarray(0, -1), /truncated$/],
    ['its last byte missing (zstd)', () => zstd.subarray(0, -1), /truncated$/],
    ['its half missing', () => gzip.subarray(0, gzip.length / 2), /truncated$/],
    [
      'its half missing (zstd)',
      () => zstd.subarray(0, zstd.length / 2),
      /truncated$/,
    ],
    ['nothing in it', () => Buffer.alloc(0), /(not-ours|truncated)$/],
  ])('with %s', async (_, bytes, code) => {
    expectAll(await resealed([['it', bytes()]]), code);
  });
});

describe('a tar, by somebody who has no signing key', () => {
  let entries: Entry[];
  let node: { file: string; directory: string; link: string };
  beforeAll(async () => {
    entries = entriesOf(unpacked(unencrypted.bytes));
    const ofType = (type: string) =>
      entries.find(
        entry => entry.type === type && entry.name.startsWith('nodes/'),
      )!.name;
    node = { file: ofType('0'), directory: ofType('5'), link: ofType('2') };
  });
  const read = (tar: Buffer) => verdict({ bytes: packed(tar) });
  const readEntries = (changed: Entry[]) => read(tarOf(changed));

  const readTurned = (
    name: string,
    at: number,
    finish: (header: Buffer) => Buffer,
  ) =>
    readEntries(
      withEntry(entries, name, entry => ({
        ...entry,
        header: finish(flipped(entry.header, at)),
      })),
    );

  it('is proven as it is', async () => {
    expect(await readEntries(entries)).toBe('proven');
  });

  const FIELDS: Array<[string, number, number]> = [
    ['name', 0, 100],
    ['mode', 100, 108],
    ['uid', 108, 116],
    ['gid', 116, 124],
    ['size', 124, 136],
    ['time', 136, 148],
    ['type', 156, 157],
    ['target', 157, 257],
    ['magic', 257, 265],
    ['names and devices', 265, 345],
    ['prefix', 345, 500],
    ['rest', 500, 512],
  ];
  it('with a bit turned in the sum of a header', async () => {
    const told: string[] = [];
    for (const name of [node.file, 'backup.json', 'signature']) {
      for (const at of placesIn(between(148, 156), 8)) {
        told.push(`${at}: ${await readTurned(name, at, header => header)}`);
      }
    }
    expectAll(told, /altered$/);
  });

  it.each(FIELDS)(
    'with a bit turned in a header: %s',
    async (_, start, end) => {
      const names = [
        ...Object.values(node),
        'backup.json',
        'etcd/snapshot.db',
        'checksums.json',
        'signature',
      ];
      const told: string[] = [];
      for (const name of names) {
        for (const at of placesIn(between(start, end), isWhole ? 30 : 3)) {
          told.push(
            `${name} ${at}: ${await readTurned(name, at, header => header)}`,
            `${name} ${at}, sum right: ${await readTurned(name, at, resummed)}`,
          );
        }
      }
      expectAll(told, /(altered|truncated|backup.json .*not-ours)$/);
    },
  );

  it.each<[string, () => string, RegExp]>([
    ['description', () => 'backup.json', /(altered|newer-format)$/],
    ['node file', () => node.file, /altered$/],
    ['snapshot', () => 'etcd/snapshot.db', /altered$/],
    ['checksums', () => 'checksums.json', /(altered|signature-invalid)$/],
    ['signature', () => 'signature', /(altered|signature-invalid)$/],
  ])('with a bit turned in its %s', async (_, name, code) => {
    const { content } = entries.find(entry => entry.name === name())!;
    const places = [
      ...placesIn(between(0, content.length), PLACES),
      // Of the snapshot that is its trailer.
      ...placesIn(
        between(Math.max(0, content.length - 32), content.length),
        32,
      ),
    ];
    const told: string[] = [];
    for (const at of places) {
      const changed = withEntry(entries, name(), entry => ({
        ...entry,
        content: flipped(entry.content, at),
      }));
      told.push(`${at}: ${await readEntries(changed)}`);
    }
    expectAll(told, code);
  });

  it('with something in what fills a block', async () => {
    const told: string[] = [];
    for (const { name, padding } of entries) {
      if (padding.length === 0) continue;
      const changed = withEntry(entries, name, entry => ({
        ...entry,
        padding: flipped(padding, padding.length - 1),
      }));
      told.push(`${name}: ${await readEntries(changed)}`);
    }
    expectAll(told, /altered$/);
  });

  it('that is cut at every boundary', async () => {
    const whole = tarOf(entries);
    const told: string[] = [];
    let at = 0;
    for (const { name, header, content, padding } of entries) {
      for (const length of [header.length, content.length, padding.length]) {
        for (const cut of [at, at + 1, at + Math.floor(length / 2)]) {
          if (cut > 512)
            told.push(`${name}: ${await read(whole.subarray(0, cut))}`);
        }
        at += length;
      }
    }
    for (const cut of [1, 512, 1023]) {
      told.push(`end: ${await read(whole.subarray(0, -cut))}`);
    }
    expectAll(told, /truncated$/);
  });

  it('with its entries in another order, one less, one twice', async () => {
    const told: string[] = [];
    for (let i = 0; i < entries.length; i++) {
      const others = entries.filter((_, index) => index !== i);
      told.push(`${entries[i].name} left out: ${await readEntries(others)}`);
      told.push(
        `${entries[i].name} twice: ${await readEntries([
          ...entries.slice(0, i),
          entries[i],
          ...entries.slice(i),
        ])}`,
      );
      if (i > 0) {
        const swapped = [...entries];
        [swapped[i - 1], swapped[i]] = [swapped[i], swapped[i - 1]];
        told.push(`${entries[i].name} earlier: ${await readEntries(swapped)}`);
      }
    }
    expectAll(
      told,
      /(altered|(backup.json left out|nodes\S* earlier): archive-not-ours|signature left out: archive-truncated)$/,
    );
  });

  it.each<[string, () => string[], RegExp]>([
    ['description', () => ['backup.json'], /altered$/],
    ['checksums', () => ['checksums.json'], /altered$/],
    ['signature', () => ['signature'], /signature-invalid$/],
    [
      'checksums and signature',
      () => ['checksums.json', 'signature'],
      /altered$/,
    ],
    [
      'description, checksums and signature',
      () => ['backup.json', 'checksums.json', 'signature'],
      /altered$/,
    ],
  ])("with another backup's %s", async (_, names, code) => {
    const others = entriesOf(unpacked(await decrypted(zstandard)));
    let changed = entries;
    for (const name of names()) {
      const { content } = others.find(entry => entry.name === name)!;
      changed = withEntry(changed, name, entry => withContent(entry, content));
    }
    expect(await readEntries(changed)).toMatch(code);
  });
});

describe.each(allFixtures().map(fixture => [fixture.title, fixture] as const))(
  '%s, whatever is done to it',
  (_, fixture) => {
    it('is never taken for the one that its summary says', async () => {
      const { bytes } = fixture;
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              at: fc.nat(bytes.length - 1),
              remove: fc.nat(40),
              insert: fc.uint8Array({ maxLength: 40 }),
            }),
            { minLength: 1, maxLength: 4 },
          ),
          async edits => {
            let changed = bytes;
            for (const { at, remove, insert } of edits) {
              changed = Buffer.concat([
                changed.subarray(0, at),
                insert,
                changed.subarray(at + remove),
              ]);
            }
            fc.pre(!changed.equals(bytes));
            expect(await verdictOfBoth({ ...fixture, bytes: changed })).toMatch(
              /^archive-/,
            );
          },
        ),
        { numRuns: RUNS },
      );
    });

    it('takes no other byte in its stead', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(fixture.bytes.length - 1),
          fc.integer({ min: 1, max: 255 }),
          async (at, change) => {
            const bytes = Buffer.from(fixture.bytes);
            bytes[at] ^= change;
            const reading = await readingOf({
              bytes,
              identities: keysOf(fixture),
            });
            // Only where nothing is encrypted there are bytes that mean the same; the summary tells them.
            const isRefused = typeof reading === 'string';
            expect(isRefused || !keysOf(fixture)).toBe(true);
            expect(await verdictOfBoth({ ...fixture, bytes })).toMatch(
              /^archive-/,
            );
          },
        ),
        { numRuns: RUNS },
      );
    });
  },
);

function between(start: number, end: number): Part {
  return { name: '', start, end };
}
