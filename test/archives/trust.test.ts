import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArchiveSummary,
  BackupStore,
  encodeSummary,
  generateAgeKey,
  keyFingerprint,
  openFilesystemStore,
  readArchive,
  summaryName,
  verifyCopy,
  verifySummary,
} from '@cluster-backup/engine';
import fc from 'fast-check';
import { inPieces } from './bytes';
import { allFixtures } from './fixtures';
import { flipped, sha256 } from './opponent';
import { Written, writeArchive } from './writeArchive';
import { codeOf, verdict, verdictOfBoth } from './verdict';

jest.setTimeout(120_000);

const isWhole = process.env.ARCHIVES !== 'short';
const [fixture] = allFixtures();

/** The code that a summary is refused with, or what it says. */
function summaryVerdict(
  bytes: Buffer,
  trusted = [fixture.signer],
): string | ArchiveSummary {
  try {
    return verifySummary(bytes, trusted);
  } catch (error) {
    return codeOf(error);
  }
}

describe('a summary', () => {
  const honest = JSON.parse(fixture.summary.toString()) as ArchiveSummary;

  /** Every field in it, with what leads there. */
  function fieldsOf(value: unknown, path: string[] = []): string[][] {
    return typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, member]) =>
          fieldsOf(member, [...path, name]),
        )
      : [path];
  }
  function changed(path: string[], change: (value: any) => unknown): Buffer {
    const summary = structuredClone(honest) as any;
    const last = path.at(-1)!;
    const parent = path.slice(0, -1).reduce((at, name) => at[name], summary);
    parent[last] = change(parent[last]);
    if (parent[last] === undefined) delete parent[last];
    return Buffer.from(JSON.stringify(summary));
  }

  it.each(fieldsOf(honest).map(path => [path.join('.'), path] as const))(
    'with another %s, or without it',
    (_, path) => {
      const changes: Array<(value: any) => unknown> = [
        value =>
          typeof value === 'number'
            ? value + 1
            : `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`,
        () => undefined,
        () => null,
        () => ({}),
      ];
      for (const change of changes) {
        expect(summaryVerdict(changed(path, change))).toMatch(
          /^(summary-invalid|summary-signature-invalid|archive-newer-format)$/,
        );
      }
    },
  );

  it('with any bit turned', () => {
    for (let at = 0; at < fixture.summary.length; at++) {
      for (const bit of [0, 1, 2, 3, 4, 5, 6, 7]) {
        expect([
          at,
          bit,
          summaryVerdict(flipped(fixture.summary, at, bit)),
        ]).toEqual([
          at,
          bit,
          expect.stringMatching(/^(summary|archive)-[a-z-]+$/),
        ]);
      }
    }
  });

  it('with anything put in or taken out, unless it says the same', () => {
    fc.assert(
      fc.property(
        fc.nat(fixture.summary.length),
        fc.nat(30),
        fc.oneof(
          fc.uint8Array({ maxLength: 10 }),
          fc
            .constantFrom('"a":1,', '"signer":"",', '\ufeff', ' ', '\n', '[')
            .map(text => Buffer.from(text)),
        ),
        (at, remove, insert) => {
          const verdictOf = summaryVerdict(
            Buffer.concat([
              fixture.summary.subarray(0, at),
              insert,
              fixture.summary.subarray(at + remove),
            ]),
          );
          expect(typeof verdictOf === 'string' || verdictOf).toEqual(
            typeof verdictOf === 'string' || honest,
          );
        },
      ),
      { numRuns: isWhole ? 30_000 : 3000 },
    );
  });

  it.each([
    ['nothing', ''],
    ['a byte order mark', `\ufeff${JSON.stringify(honest)}`],
    [
      'lists in lists',
      `${JSON.stringify(honest).slice(0, -1)},"a":${'['.repeat(
        20_000,
      )}${']'.repeat(20_000)}}`,
    ],
    ['half of it', JSON.stringify(honest).slice(0, 500)],
  ])('of %s is none', (_, text) => {
    expect(summaryVerdict(Buffer.from(text))).toBe('summary-invalid');
  });

  it("that is another backup's", async () => {
    for (const other of allFixtures().slice(1)) {
      expect(await verdictOfBoth({ ...fixture, summary: other.summary })).toBe(
        'archive-altered',
      );
    }
  });

  it('signed by somebody who is not trusted, or who only says who they are', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const { recipient } = await generateAgeKey();
    const { summary } = await writeArchive({
      recipients: [recipient],
      signingKey: privateKey,
    });
    expect(summaryVerdict(encodeSummary(summary))).toBe(
      'summary-signer-untrusted',
    );
    expect(
      summaryVerdict(encodeSummary({ ...summary, signer: fixture.signer })),
    ).toBe('summary-signature-invalid');
    expect(summaryVerdict(fixture.summary, [])).toBe(
      'summary-signer-untrusted',
    );
  });
});

describe('keys that were rotated', () => {
  const [oldSigner, newSigner] = [1, 2].map(
    () => generateKeyPairSync('ed25519').privateKey,
  );
  let oldKey: { identity: string; recipient: string };
  let newKey: typeof oldKey;
  let before: Written;
  let after: Written;
  beforeAll(async () => {
    [oldKey, newKey] = await Promise.all([generateAgeKey(), generateAgeKey()]);
    before = await writeArchive({
      recipients: [oldKey.recipient],
      signingKey: oldSigner,
    });
    after = await writeArchive({
      recipients: [newKey.recipient],
      signingKey: newSigner,
    });
  });

  it('each open what was encrypted to them, and nothing else', async () => {
    const opens = ({ bytes }: Written, ...identities: string[]) =>
      verdict({ bytes, identities });
    expect(await opens(before, oldKey.identity)).toBe('proven');
    expect(await opens(before, newKey.identity)).toBe('archive-wrong-key');
    expect(await opens(after, oldKey.identity)).toBe('archive-wrong-key');
    for (const archive of [before, after]) {
      const both = [newKey.identity, oldKey.identity];
      expect(await opens(archive, ...both)).toBe('proven');
    }
  });

  it('sign for as long as their fingerprint is trusted', () => {
    const [old, now] = [oldSigner, newSigner].map(keyFingerprint);
    const told = (archive: Written, ...trusted: string[]) =>
      summaryVerdict(encodeSummary(archive.summary), trusted);
    expect(told(before, now, old)).toEqual(before.summary);
    expect(told(after, now, old)).toEqual(after.summary);
    expect(told(before, now)).toBe('summary-signer-untrusted');
    expect(told(after, old)).toBe('summary-signer-untrusted');
  });
});

describe('a store that somebody else can write to', () => {
  const signingKey = generateKeyPairSync('ed25519').privateKey;
  const trustedSigners = [keyFingerprint(signingKey)];
  const [older, newer] = ['2026-11-21', '2026-11-22'].map(day => ({
    key: `default/lab/abababab/lab_backup_${day}T141500Z.tar.gz.age`,
    createdAt: `${day}T14:15:00.123Z`,
  }));
  let identity: string;
  let folder: string;
  let store: BackupStore;
  const written = new Map<string, Written>();
  beforeAll(async () => {
    const key = await generateAgeKey();
    identity = key.identity;
    for (const { key: name, createdAt } of [older, newer]) {
      const options = { recipients: [key.recipient], signingKey };
      written.set(name, await writeArchive(options, createdAt));
    }
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cluster-backup-trust-'));
    store = await openFilesystemStore({ id: 'local', path: folder });
    for (const [name, { bytes, summary }] of written) {
      await store.put(name, inPieces(bytes));
      await store.put(summaryName(name), inPieces(encodeSummary(summary)));
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const replaced = async (name: string, bytes: Buffer) => {
    await store.remove(name);
    await store.put(name, inPieces(bytes));
  };
  const verified = (name: string, identities?: string[]) =>
    verifyCopy({
      store,
      key: name,
      trustedSigners,
      ...(identities && { keys: { identities } }),
    }).then(({ depth }) => depth, codeOf);

  it('gives back what was written', async () => {
    for (const { key } of [older, newer]) {
      expect(await verified(key)).toBe('bytes');
      expect(await verified(key, [identity])).toBe('contents');
    }
  });

  const old = () => written.get(older.key)!;
  const now = () => written.get(newer.key)!;
  it.each<[string, string, () => Promise<unknown>]>([
    [
      'an older archive under a newer name',
      'copy-damaged',
      () => replaced(newer.key, old().bytes),
    ],
    [
      "another backup's summary",
      'summary-misplaced',
      () => replaced(summaryName(newer.key), encodeSummary(old().summary)),
    ],
    [
      'an older backup, summary and all, under a newer name',
      'summary-misplaced',
      async () => {
        await replaced(newer.key, old().bytes);
        await replaced(summaryName(newer.key), encodeSummary(old().summary));
      },
    ],
    [
      'a summary of their own',
      'summary-signer-untrusted',
      async () => {
        const { recipient } = await generateAgeKey();
        const { privateKey } = generateKeyPairSync('ed25519');
        const own = await writeArchive(
          { recipients: [recipient], signingKey: privateKey },
          newer.createdAt,
        );
        await replaced(newer.key, own.bytes);
        await replaced(summaryName(newer.key), encodeSummary(own.summary));
      },
    ],
    [
      'a byte that is another',
      'copy-damaged',
      () => replaced(newer.key, flipped(now().bytes, 5000)),
    ],
    [
      'half of it',
      'copy-damaged',
      () => replaced(newer.key, now().bytes.subarray(0, 5000)),
    ],
    [
      'random bytes as a summary',
      'summary-invalid',
      () => replaced(summaryName(newer.key), randomBytes(500)),
    ],
    [
      'no summary',
      'store-file-missing',
      () => store.remove(summaryName(newer.key)),
    ],
    ['no archive', 'store-file-missing', () => store.remove(newer.key)],
  ])('with %s is noticed without a key: %s', async (_, code, act) => {
    await act();
    expect(await verified(newer.key)).toBe(code);
    // With one it is noticed as early, or in what it opens.
    expect(await verified(newer.key, [identity])).toMatch(
      code === 'copy-damaged' ? /^(copy-damaged|archive-[a-z-]+)$/ : code,
    );
    expect(await verified(older.key, [identity])).toBe('contents');
    expect(await readdir(folder)).toContain('default');
  });

  it('does not get away with other bytes at the second read', async () => {
    expect(await verified(newer.key, [identity])).toBe('contents');
    await replaced(newer.key, old().bytes);
    // A restore takes the digest from the summary and reads the archive once: what it uses is what it proves.
    await expect(
      readArchive(await store.get(newer.key), {
        identities: [identity],
        sha256: now().summary.ciphertext.sha256,
      }),
    ).rejects.toMatchObject({ code: 'archive-altered' });
    expect(sha256(now().bytes)).toBe(now().summary.ciphertext.sha256);
  });
});
