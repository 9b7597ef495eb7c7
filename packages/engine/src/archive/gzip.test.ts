import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { bytesOf, collected, inPieces } from './__testUtils__/streams';
import { runTool } from './__testUtils__/tools';
import { PACKED_BLOCK } from './blocks';
import { gunzip, gzip } from './gzip';

// Compressing is what these do; the machine may be busy with other suites.

describe('gzip', () => {
  it.each([
    0,
    1,
    PACKED_BLOCK - 1,
    PACKED_BLOCK,
    PACKED_BLOCK + 1,
    4 * PACKED_BLOCK + 7,
  ])('writes one member that gzip and pigz accept, of %i bytes', async size => {
    for (const variety of [3, 256]) {
      const plain = bytesOf(size, variety);
      const packed = await collected(gzip(inPieces(plain, 32 * 1024), 1));
      for (const tool of ['gzip', 'pigz']) {
        expect(await runTool(tool, ['-t'], packed)).toMatchObject({
          code: 0,
          stderr: '',
        });
      }
      const unpacked = await runTool('gzip', ['-dc'], packed);
      expect(unpacked.stdout.equals(plain)).toBe(true);
      // What refuses more than one member in a file is the strictest reader of all.
      const strict = await collected(
        new Response(packed).body!.pipeThrough(
          new DecompressionStream('gzip'),
        ) as unknown as AsyncIterable<Uint8Array>,
      );
      expect(strict.equals(plain)).toBe(true);
    }
  });

  it('is as small as one run of the same level', async () => {
    const plain = Buffer.from(
      Array.from(
        { length: 60_000 },
        (_, i) => `{"kind":"Pod","name":"web-${i * 7919}","node":"n${i % 31}"}`,
      ).join('\n'),
    );
    for (const level of [1, 6, 9]) {
      const packed = await collected(gzip(inPieces(plain, 32 * 1024), level));
      expect(packed.length / gzipSync(plain, { level }).length).toBeLessThan(
        1.01,
      );
    }
  });

  it('gives back what it took, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 3 * PACKED_BLOCK }),
        fc.constantFrom(2, 40, 256),
        fc.array(fc.integer({ min: 1, max: 2 * PACKED_BLOCK }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.array(fc.integer({ min: 3, max: 300_000 }), {
          minLength: 1,
          maxLength: 4,
        }),
        async (size, variety, cuts, packedCuts) => {
          const plain = bytesOf(size, variety);
          const packed = await collected(gzip(inPieces(plain, ...cuts), 1));
          expect(gunzipSync(packed).equals(plain)).toBe(true);
          const unpacked = await collected(
            gunzip(inPieces(packed, ...packedCuts)),
          );
          expect(unpacked.equals(plain)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('gunzip', () => {
  let packed: Buffer;
  beforeAll(async () => {
    packed = await collected(gzip(inPieces(bytesOf(300_000, 20)), 1));
  });

  it.each<[string, string, () => Buffer]>([
    [
      'zeros after the end',
      'altered',
      () => Buffer.concat([packed, Buffer.alloc(100)]),
    ],
    [
      'other bytes after the end',
      'altered',
      () => Buffer.concat([packed, bytesOf(100)]),
    ],
    ['a second member', 'altered', () => Buffer.concat([packed, packed])],
    [
      'an empty second member',
      'altered',
      () => Buffer.concat([packed, gzipSync(Buffer.alloc(0))]),
    ],
    ['a cut trailer', 'truncated', () => packed.subarray(0, -4)],
    [
      'a cut in the middle',
      'truncated',
      () => packed.subarray(0, packed.length / 2),
    ],
    [
      'a wrong checksum',
      'altered',
      () => Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)]),
    ],
    [
      'a damaged block',
      'altered',
      () =>
        Buffer.concat([
          packed.subarray(0, 5000),
          Buffer.alloc(100, 0xff),
          packed.subarray(5100),
        ]),
    ],
    [
      "another program's header",
      'not-ours',
      () => gzipSync(bytesOf(300_000, 20)),
    ],
    ['no bytes at all', 'not-ours', () => Buffer.alloc(0)],
  ])('refuses %s as %s', async (_, code, bytes) => {
    for (const cut of [1_000_000, 1000]) {
      await expect(
        collected(gunzip(inPieces(bytes(), cut))),
      ).rejects.toMatchObject({ code: `archive-${code}` });
    }
  });

  it('says when there is no gzip at all', async () => {
    await expect(
      collected(gunzip(inPieces(bytesOf(1000)))),
    ).rejects.toMatchObject({ code: 'archive-not-ours' });
  });

  it("passes its source's failure on", async () => {
    async function* failing() {
      yield packed.subarray(0, 1000);
      throw new Error('the link fell silent');
    }
    await expect(collected(gunzip(failing()))).rejects.toThrow(
      'the link fell silent',
    );
  });

  it('takes no more than it can hand on', async () => {
    const large = await collected(gzip(inPieces(bytesOf(8_000_000, 250)), 1));
    let taken = 0;
    async function* counted() {
      for await (const piece of inPieces(large, 65536)) {
        taken += piece.length;
        yield piece;
      }
    }
    const iterator = gunzip(counted())[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(taken).toBeLessThan(3_000_000);
    await iterator.return();
  });
});
