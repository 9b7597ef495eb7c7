import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter } from 'age-encryption';
import fc from 'fast-check';
import { bytesOf, collected, inPieces } from './__testUtils__/streams';
import { runTool, withDirectory } from './__testUtils__/tools';
import {
  ageDecrypt,
  ageEncrypt,
  ArchiveKeys,
  encrypterFor,
  generateAgeKey,
  parseIdentities,
} from './encryption';

const CHUNK = 65536;
const BOUNDARIES = [
  0,
  1,
  CHUNK - 1,
  CHUNK,
  CHUNK + 1,
  2 * CHUNK,
  2 * CHUNK + 1,
  16 * CHUNK,
  17 * CHUNK + 5,
  40 * CHUNK,
];

async function encrypt(plain: Buffer, ...recipients: string[]) {
  return collected(
    ageEncrypt(inPieces(plain, 50_000), encrypterFor(recipients)),
  );
}

function decrypt(bytes: Buffer, keys: ArchiveKeys, ...cuts: number[]) {
  return collected(ageDecrypt(inPieces(bytes, ...cuts), keys));
}

function headerLength(bytes: Buffer): number {
  return bytes.indexOf('\n', bytes.indexOf('\n--- ') + 1) + 1;
}

describe('age', () => {
  it("is what Debian's age reads and writes, at every boundary of chunks", async () => {
    const { identity, recipient } = await generateAgeKey();
    await withDirectory(async directory => {
      const keyFile = join(directory, 'key.txt');
      await writeFile(keyFile, `# a comment\n${identity}\n`, { mode: 0o600 });
      for (const size of BOUNDARIES) {
        const plain = bytesOf(size);
        const ours = await encrypt(plain, recipient);
        const theirs = await runTool('age', ['-d', '-i', keyFile], ours);
        expect(theirs).toMatchObject({ code: 0, stderr: '' });
        expect(theirs.stdout.equals(plain)).toBe(true);

        const debian = await runTool('age', ['-r', recipient], plain);
        expect(debian.stdout.length).toBe(ours.length);
        const opened = await decrypt(
          debian.stdout,
          { identities: parseIdentities(`# a comment\n\n${identity}\n`) },
          70_000,
        );
        expect(opened.equals(plain)).toBe(true);
      }
    });
  });

  it('opens for each of several recipients, and with the file key alone', async () => {
    const keys = await Promise.all([1, 2, 3].map(() => generateAgeKey()));
    const plain = bytesOf(200_000);
    const bytes = await encrypt(plain, ...keys.map(key => key.recipient));
    for (const { identity } of keys) {
      const opened = await decrypt(bytes, { identities: [identity] });
      expect(opened.equals(plain)).toBe(true);
    }
    const browser = new Decrypter();
    browser.addIdentity(keys[1].identity);
    const fileKey = await browser.decryptHeader(
      bytes.subarray(0, headerLength(bytes)),
    );
    const opened = await decrypt(bytes, { fileKey });
    expect(opened.equals(plain)).toBe(true);
    // No two archives share a key or a nonce.
    const again = await encrypt(plain, keys[1].recipient);
    await expect(decrypt(again, { fileKey })).rejects.toMatchObject({
      code: 'archive-wrong-key',
    });
  });

  it('gives back what it took, however it is cut', async () => {
    const { identity, recipient } = await generateAgeKey();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5 * CHUNK }),
        fc.array(fc.integer({ min: 1, max: 3 * CHUNK }), {
          minLength: 1,
          maxLength: 5,
        }),
        async (size, cuts) => {
          const plain = bytesOf(size);
          const bytes = await encrypt(plain, recipient);
          const opened = await decrypt(
            bytes,
            { identities: [identity] },
            ...cuts,
          );
          expect(opened.equals(plain)).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('finds every cut', async () => {
    const { identity, recipient } = await generateAgeKey();
    for (const size of [0, 10, CHUNK, 2 * CHUNK, 20 * CHUNK]) {
      const bytes = await encrypt(bytesOf(size), recipient);
      const header = headerLength(bytes);
      const cuts = [0, 1, 30, header - 1, header, header + 15, header + 16];
      for (let at = header + 16; at < bytes.length; at += CHUNK + 16) {
        cuts.push(at, at + 1, at + 16, at + 17, at + CHUNK);
      }
      cuts.push(bytes.length - 1);
      for (const cut of cuts.filter(at => at < bytes.length)) {
        await expect(
          decrypt(bytes.subarray(0, cut), { identities: [identity] }),
        ).rejects.toMatchObject({ code: 'archive-truncated' });
      }
    }
  });

  it('finds every other byte, wherever it is', async () => {
    const { identity, recipient } = await generateAgeKey();
    const bytes = await encrypt(bytesOf(2 * CHUNK + 10), recipient);
    const header = headerLength(bytes);
    const places = [
      0, // the version
      25, // the recipient's line
      60,
      header - 60,
      header - 10, // the header's MAC
      header, // the payload's nonce
      header + 15,
      header + 16, // the first chunk
      header + 16 + CHUNK, // its tag
      header + 16 + CHUNK + 16 + 100, // the second
      bytes.length - 20, // the last
      bytes.length - 1,
    ];
    for (const place of places) {
      const altered = Buffer.from(bytes);
      altered[place] ^= 1;
      const error = await decrypt(altered, { identities: [identity] }).then(
        () => undefined,
        e => e,
      );
      expect([place, error?.code]).toEqual([
        place,
        expect.stringMatching(
          /^archive-(altered|truncated|not-ours|wrong-key)$/,
        ),
      ]);
    }
  });

  it('finds chunks that were left out, doubled, swapped or added', async () => {
    const { identity, recipient } = await generateAgeKey();
    const bytes = await encrypt(bytesOf(3 * CHUNK + 10), recipient);
    const start = headerLength(bytes) + 16;
    const head = bytes.subarray(0, start);
    const chunk = (i: number) =>
      bytes.subarray(start + i * (CHUNK + 16), start + (i + 1) * (CHUNK + 16));
    const [a, b, c, last] = [chunk(0), chunk(1), chunk(2), chunk(3)];
    const codes: Record<string, string> = {};
    for (const [what, chunks] of Object.entries({
      'left out': [a, c, last],
      doubled: [a, a, b, c, last],
      swapped: [b, a, c, last],
      'no last': [a, b, c],
      'two ends': [a, b, c, last, last],
      'trailing bytes': [a, b, c, last, Buffer.alloc(1)],
      'trailing zeros': [a, b, c, last, Buffer.alloc(CHUNK * 2)],
    })) {
      codes[what] = await decrypt(Buffer.concat([head, ...chunks]), {
        identities: [identity],
      }).then(
        () => 'read',
        e => e.code,
      );
    }
    expect(codes).toEqual({
      'left out': 'archive-altered',
      doubled: 'archive-altered',
      swapped: 'archive-altered',
      'no last': 'archive-truncated',
      'two ends': 'archive-truncated',
      'trailing bytes': 'archive-truncated',
      'trailing zeros': 'archive-altered',
    });
  });

  it('says how many recipients there are when no identity opens it', async () => {
    const [a, b, other] = await Promise.all([1, 2, 3].map(generateAgeKey));
    const bytes = await encrypt(Buffer.from('x'), a.recipient, b.recipient);
    await expect(
      decrypt(bytes, { identities: [other.identity] }),
    ).rejects.toMatchObject({
      code: 'archive-wrong-key',
      message: expect.stringContaining('2 recipients'),
      details: { recipients: 2 },
    });
    await expect(
      decrypt(bytes, { fileKey: randomBytes(16) }),
    ).rejects.toMatchObject({ code: 'archive-wrong-key' });
  });

  it.each([
    [
      'armored age',
      Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n'),
      /text form/,
    ],
    ['something else', Buffer.from('SQLite format 3\0'), /begins neither/],
  ])('says so when the file is %s', async (_, bytes, message) => {
    const { identity } = await generateAgeKey();
    await expect(
      decrypt(bytes, { identities: [identity] }),
    ).rejects.toMatchObject({
      code: 'archive-not-ours',
      message: expect.stringMatching(message),
    });
  });

  it('never repeats a key that stands in the wrong place', async () => {
    const { identity, recipient } = await generateAgeKey();
    const errors = [
      () => encrypterFor([identity]),
      () => encrypterFor([]),
      () => encrypterFor([recipient, 'age1nonsense']),
      () => encrypterFor([recipient, 'age1pq1nonsense']),
      () => parseIdentities(identity.slice(0, -3)),
      () => parseIdentities(''),
    ].map(attempt => {
      try {
        attempt();
      } catch (error) {
        return error as Error & { code: string };
      }
      throw new Error('accepted');
    });
    expect(errors.map(e => e.code)).toEqual([
      'recipient-invalid',
      'recipient-invalid',
      'recipient-invalid',
      'recipient-invalid',
      'identity-invalid',
      'identity-invalid',
    ]);
    for (const error of errors) {
      expect(JSON.stringify(error) + error.message + error.stack).not.toContain(
        identity.slice(10, 40),
      );
    }
  });
});
