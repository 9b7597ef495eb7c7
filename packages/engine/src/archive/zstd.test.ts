import fc from 'fast-check';
import zlib from 'node:zlib';
import { bytesOf, collected, inPieces } from './__testUtils__/streams';
import { runTool } from './__testUtils__/tools';
import { PACKED_BLOCK } from './blocks';
import { MAX_FRAME, unzstd, zstd } from './zstd';

const { zstdCompressSync, constants } = zlib;

const packed = (plain: Buffer, level = 3) =>
  collected(zstd(inPieces(plain, 32 * 1024), level));
const unpacked = (bytes: Buffer, cut = bytes.length) =>
  collected(unzstd(inPieces(bytes, cut)));

describe('zstd', () => {
  it.each([1, 255, 256, 70_000, PACKED_BLOCK - 1, PACKED_BLOCK, 4_200_000])(
    'writes what zstd unpacks, of %i bytes, at every level',
    async size => {
      for (const [variety, level] of [
        [1, 1],
        [3, 3],
        [40, 19],
        [256, 3],
      ]) {
        const plain = bytesOf(size, variety);
        const bytes = await packed(plain, level);
        const tool = await runTool('zstd', ['-dc'], bytes);
        expect(tool).toMatchObject({ code: 0, stderr: '' });
        expect(tool.stdout.equals(plain)).toBe(true);
        expect((await unpacked(bytes, 5000)).equals(plain)).toBe(true);
      }
    },
  );

  it('gives back what it took, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 3 * PACKED_BLOCK }),
        fc.constantFrom(2, 40, 256),
        fc.array(fc.integer({ min: 1, max: 2 * PACKED_BLOCK }), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.integer({ min: 100, max: 300_000 }),
        async (size, variety, cuts, packedCut) => {
          const plain = bytesOf(size, variety);
          const bytes = await collected(zstd(inPieces(plain, ...cuts), 1));
          expect((await unpacked(bytes, packedCut)).equals(plain)).toBe(true);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('says when Node.js has none', async () => {
    const has = Object.getOwnPropertyDescriptor(zlib, 'zstdCompress')!;
    Object.defineProperty(zlib, 'zstdCompress', {
      value: undefined,
      configurable: true,
    });
    try {
      for (const act of [zstd, unzstd]) {
        await expect(
          collected(act(inPieces(bytesOf(1)), 3)),
        ).rejects.toMatchObject({ code: 'compression-unsupported' });
      }
    } finally {
      Object.defineProperty(zlib, 'zstdCompress', has);
    }
  });
});

describe('unzstd', () => {
  const plain = bytesOf(2_500_000, 20);
  let whole: Buffer;
  beforeAll(async () => {
    whole = await packed(plain);
  });
  const stock = (size: number, params: Record<number, number> = {}) =>
    zstdCompressSync(Buffer.alloc(size), {
      pledgedSrcSize: size,
      params: {
        [constants.ZSTD_c_checksumFlag]: 1,
        [constants.ZSTD_c_windowLog]: 27,
        ...params,
      },
    });
  const skippable = Buffer.from('502a4d1804000000deadbeef', 'hex');

  it.each<[string, string, () => Buffer]>([
    ['nothing', 'truncated', () => Buffer.alloc(0)],
    ['a cut', 'truncated', () => whole.subarray(0, -1)],
    [
      'a cut magic',
      'truncated',
      () => Buffer.concat([whole, whole.subarray(0, 3)]),
    ],
    ['a byte more', 'altered', () => Buffer.concat([whole, Buffer.alloc(1)])],
    ['what decoders skip', 'altered', () => Buffer.concat([whole, skippable])],
    [
      'a frame without checksum',
      'altered',
      () =>
        Buffer.concat([
          whole,
          stock(9, { [constants.ZSTD_c_checksumFlag]: 0 }),
        ]),
    ],
    ['a frame that is too large', 'altered', () => stock(MAX_FRAME + 1)],
    ['a stream of the command', 'not-ours', () => zstdCompressSync(plain)],
    [
      'a wrong checksum',
      'altered',
      () => {
        const bytes = Buffer.from(whole);
        bytes[bytes.length - 1] ^= 1;
        return bytes;
      },
    ],
    [
      'a size that is not the content’s',
      'altered',
      () => {
        const bytes = Buffer.from(whole);
        bytes[5] ^= 1;
        return bytes;
      },
    ],
  ])('refuses %s as %s', async (_, code, bytes) => {
    for (const cut of [10_000_000, 1000]) {
      await expect(unpacked(bytes(), cut)).rejects.toMatchObject({
        code: `archive-${code}`,
      });
    }
  });

  it('takes frames of any size up to the limit', async () => {
    expect(await unpacked(stock(MAX_FRAME))).toHaveLength(MAX_FRAME);
  });

  it('takes no more than it can hand on', async () => {
    const large = await packed(bytesOf(16_000_000, 250));
    let taken = 0;
    async function* counted() {
      for await (const piece of inPieces(large, 65536)) {
        taken += piece.length;
        yield piece;
      }
    }
    const iterator = unzstd(counted())[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(taken).toBeLessThan(6_000_000);
    await iterator.return();
  });
});
