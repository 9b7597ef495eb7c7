import { createHash, generateKeyPairSync } from 'node:crypto';
import { lstat, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  createArchive,
  encodeSummary,
  generateAgeKey,
  keyFingerprint,
  NodeFileHeader,
  readArchive,
  verifySummary,
} from '.';
import { liveBytes } from '../__testUtils__/memory';
import {
  Forgery,
  forgeTar,
  json,
  resummed,
  sha256,
  wrap,
} from './__testUtils__/forgedArchive';
import {
  fileHeader,
  Sample,
  sample,
  sampleDescription,
  SampleFile,
  signingKey,
  withTrailer,
  writeSample,
} from './__testUtils__/sampleArchive';
import { bytesOf, collected, inPieces } from './__testUtils__/streams';
import { runTool, withDirectory } from './__testUtils__/tools';
import { ageDecrypt } from './encryption';
import { encodeHeader } from './tar';

let identity: string;
let recipient: string;
beforeAll(async () => {
  ({ identity, recipient } = await generateAgeKey());
});

/** Everything a reader is given, in its order. */
async function readBack(bytes: Buffer, ...cuts: number[]) {
  const seen: {
    description?: unknown;
    objects?: Buffer;
    files: SampleFile[];
    snapshot?: Buffer;
  } = { files: [] };
  const proof = await readArchive(
    inPieces(bytes, ...cuts),
    { identities: [identity] },
    {
      description(description) {
        seen.description = description;
      },
      objects(list) {
        seen.objects = list;
      },
      async nodeFile(node, header, content) {
        seen.files.push({ node, header, content: await collected(content) });
      },
      async snapshot(size, content) {
        seen.snapshot = await collected(content);
        expect(seen.snapshot.length).toBe(size);
      },
    },
  );
  return { proof, seen };
}

function codeOf(reading: Promise<unknown>): Promise<string> {
  return reading.then(
    () => 'read',
    error => error.code ?? String(error),
  );
}

describe('an archive', () => {
  it.each([
    ['gzip', false],
    ['zstd', false],
    ['gzip', true],
    ['zstd', true],
  ] as const)(
    'comes back as it went in (%s, unencrypted: %s)',
    async (...form) => {
      const [compression, dangerouslyStoreUnencrypted] = form;
      const what = {
        ...sample(bytesOf(1_500_000, 40)),
        objects: Buffer.from('{"kind":"List"}'),
      };
      const { bytes, summary } = await writeSample(
        what,
        dangerouslyStoreUnencrypted ? [] : [recipient],
        { compression, dangerouslyStoreUnencrypted },
      );
      const { proof, seen } = await readBack(bytes, 70_000, 1, 500_000);
      expect(seen.description).toEqual(what.description);
      expect(seen.objects).toEqual(what.objects);
      expect(seen.files).toEqual(
        what.files.map(file => ({ content: Buffer.alloc(0), ...file })),
      );
      expect(seen.snapshot!.equals(what.snapshot)).toBe(true);
      expect(proof.facts).toEqual({
        revision: 4711,
        snapshotSha256: sha256(what.snapshot),
      });
      expect(proof.signer).toBe(keyFingerprint(signingKey));
      expect(proof.ciphertext).toEqual({
        size: bytes.length,
        sha256: sha256(bytes),
      });
      expect(
        verifySummary(encodeSummary(summary), [proof.signer]),
      ).toMatchObject({
        description: what.description,
        facts: proof.facts,
        ciphertext: proof.ciphertext,
        signer: proof.signer,
      });
    },
  );

  it("opens with Debian's age and tar, owners and modes included", async () => {
    const what = sample(bytesOf(200_000));
    const long = `/etc/kubernetes/${'long-name/'.repeat(30)}ключ`;
    what.files.push({
      node: 'cp1',
      header: fileHeader(long, 3, { uid: 400_000, mtime: 5_000_000_000 }),
      content: Buffer.from('abc'),
    });
    const { bytes } = await writeSample(what, [recipient]);
    await withDirectory(async directory => {
      const key = join(directory, 'key');
      const file = join(directory, 'lab.tar.gz.age');
      await writeFile(key, identity, { mode: 0o600 });
      await writeFile(file, bytes);
      const opened = await runTool('sh', [
        '-c',
        'cd "$1" && age -d -i key lab.tar.gz.age | tar xzp --numeric-owner --warning=no-timestamp && age -d -i key lab.tar.gz.age | gzip -t',
        'sh',
        directory,
      ]);
      expect(opened).toMatchObject({ code: 0, stderr: '' });

      const found = await Promise.all(
        what.files.map(async ({ node, header }) => {
          const path = join(directory, 'nodes', node, header.path);
          const { mode, uid, gid, mtimeMs } = await lstat(path);
          return {
            mode: mode & 0o777,
            owner: [uid, gid],
            mtime: mtimeMs / 1000,
            linkname:
              header.type === 'symlink' ? await readlink(path) : undefined,
            content: header.type === 'file' ? await readFile(path) : undefined,
          };
        }),
      );
      // Owners are for root to give.
      const mine = [process.getuid!(), process.getgid!()];
      expect(found).toEqual(
        what.files.map(({ header, content }) => ({
          mode: header.mode & 0o777,
          owner: mine[0] === 0 ? [header.uid, header.gid] : mine,
          mtime: header.mtime,
          linkname: header.linkname,
          content,
        })),
      );
      const snapshot = await readFile(join(directory, 'etcd', 'snapshot.db'));
      expect(snapshot.equals(what.snapshot)).toBe(true);
    });
  });

  it('has its entries in one order', async () => {
    const objects = Buffer.from('{}');
    const what = { ...sample(bytesOf(10)), objects };
    const { bytes } = await writeSample(what, [recipient]);
    const tar = gunzipSync(
      await collected(ageDecrypt(inPieces(bytes), { identities: [identity] })),
    );
    const { stdout } = await runTool('tar', ['tf', '-'], tar);
    expect(stdout.toString().trim().split('\n')).toEqual([
      'backup.json',
      'cluster/objects.json',
      'nodes/cp1/etc/kubernetes/pki',
      'nodes/cp1/etc/kubernetes/pki/ca.key',
      'nodes/cp1/var/lib/kubelet/pki/current.pem',
      'nodes/cp2/etc/kubernetes/empty',
      'etcd/snapshot.db',
      'checksums.json',
      'signature',
    ]);
  });

  it('keeps any files a node may have', async () => {
    const segment = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
      .filter(
        s => !s.includes('/') && !s.includes('\0') && !/^\.{1,2}$/.test(s),
      )
      // What is no character can be in no file name that was read as text.
      .filter(s => Buffer.from(s).toString() === s);
    const file = fc.record({
      node: fc.constantFrom('cp1', 'cp2', 'w1'),
      parts: fc.array(segment, { minLength: 1, maxLength: 12 }),
      type: fc.constantFrom('file', 'directory', 'symlink'),
      mode: fc.integer({ min: 0, max: 0o7777 }),
      uid: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 32 - 2 })),
      gid: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 32 - 2 })),
      mtime: fc.oneof(
        fc.integer({ min: 0, max: 2 ** 31 }),
        fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      ),
      size: fc.oneof(fc.constantFrom(0, 1, 511, 512, 513), fc.nat(3000)),
      target: fc.array(segment, { minLength: 1, maxLength: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { maxLength: 8 }),
        fc.integer({ min: 1, max: 3000 }),
        async (files, snapshotSize) => {
          const paths = new Set<string>();
          const given = files.flatMap(f => {
            const path = `/${f.parts.join('/')}`;
            if (paths.has(path)) {
              return [];
            }
            paths.add(path);
            const size = f.type === 'file' ? f.size : 0;
            const header: NodeFileHeader = {
              path,
              type: f.type as NodeFileHeader['type'],
              mode: f.mode,
              uid: f.uid,
              gid: f.gid,
              mtime: f.mtime,
              size,
              ...(f.type === 'symlink' && {
                linkname: `/${f.target.join('/')}`,
              }),
            };
            return [{ node: f.node, header, content: bytesOf(size) }];
          });
          // A link among the directories of another is refused; that has a test of its own.
          const links = given
            .filter(({ header }) => header.type === 'symlink')
            .map(({ header }) => `${header.path}/`);
          const kept = given.filter(({ header }) =>
            links.every(link => !header.path.startsWith(link)),
          );
          const what: Sample = {
            description: sampleDescription(snapshotSize + 32),
            files: kept,
            snapshot: withTrailer(bytesOf(snapshotSize)),
          };
          const { bytes } = await writeSample(what, [recipient]);
          const { seen } = await readBack(bytes, 5000);
          expect(seen.files).toEqual(kept);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('announces sizes beyond 8 GiB as GNU tar reads them', async () => {
    const size = 9 * 2 ** 30 + 7;
    const header = encodeHeader({
      name: 'etcd/snapshot.db',
      type: 'file',
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: 0,
      size,
    });
    const listed = await runTool('tar', ['tvf', '-'], header);
    expect(listed.stdout.toString()).toContain(` ${size} `);
  });

  it('keeps memory flat, however much passes (bmctl failure 3)', async () => {
    const text = '{"kind":"Pod","metadata":{"name":"web-';
    const block = Buffer.alloc(1024 * 1024, text + bytesOf(3000, 64));
    const size = 256 * block.length + 32;
    const whole = createHash('sha256');
    for (let i = 0; i < 256; i++) {
      whole.update(block);
    }
    const trailer = whole.copy().digest();
    whole.update(trailer);
    async function* blocks() {
      for (let i = 0; i < 256; i++) {
        for (let at = 0; at < block.length; at += 32 * 1024) {
          yield block.subarray(at, at + 32 * 1024);
        }
      }
      yield trailer;
    }
    const writer = createArchive({ recipients: [recipient], signingKey });
    let peak = 0;
    let chunks = 0;
    const before = await liveBytes();
    async function* watched() {
      for await (const chunk of writer.ciphertext) {
        chunks += 1;
        if (chunks % 5 === 0) peak = Math.max(peak, await liveBytes());
        yield chunk;
      }
    }
    const write = async () => {
      await writer.description(sampleDescription(size));
      await writer.snapshot(size, blocks());
      return writer.finish({
        revision: 1,
        snapshotSha256: whole.digest('hex'),
      });
    };
    const [summary, proof] = await Promise.all([
      write(),
      // With a signal that outlives it, as an operation's does.
      readArchive(watched(), {
        identities: [identity],
        signal: new AbortController().signal,
      }),
    ]);
    expect(proof.ciphertext).toEqual(summary.ciphertext);
    expect(peak).toBeGreaterThan(0);
    expect((peak - before) / 2 ** 20).toBeLessThan(64);
  });
});

describe('createArchive', () => {
  function begin() {
    const writer = createArchive({ recipients: [recipient], signingKey });
    const bytes = collected(writer.ciphertext);
    bytes.catch(() => {});
    return { writer, bytes };
  }
  const refused = { code: 'archive-content-refused' };

  it('refuses recipients where nothing is to be encrypted, and none where it is', () => {
    for (const [recipients, dangerouslyStoreUnencrypted] of [
      [[recipient], true],
      [[], false],
    ] as const) {
      expect(() =>
        createArchive({
          recipients: [...recipients],
          dangerouslyStoreUnencrypted,
          signingKey,
        }),
      ).toThrow(expect.objectContaining({ code: 'recipient-invalid' }));
    }
  });

  it('refuses a snapshot or a file that is not as long as announced', async () => {
    for (const given of [9, 11]) {
      const { writer, bytes } = begin();
      await writer.description(sampleDescription(10));
      await expect(
        writer.snapshot(10, inPieces(bytesOf(given), 4)),
      ).rejects.toMatchObject(refused);
      await expect(bytes).rejects.toMatchObject(refused);

      const other = begin();
      await other.writer.description(sampleDescription(10));
      await expect(
        other.writer.nodeFile(
          'cp1',
          fileHeader('/a', 10),
          inPieces(bytesOf(given), 4),
        ),
      ).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining('cp1:/a'),
      });
      await expect(other.bytes).rejects.toMatchObject(refused);
    }
  });

  it('refuses what could not be unpacked safely', async () => {
    const link = (linkname: string) => ({ type: 'symlink', linkname } as const);
    const { writer } = begin();
    await writer.description(sampleDescription(10));
    await writer.nodeFile('cp1', fileHeader('/etc/l', 0, link('../opt')));
    for (const [node, header] of [
      ['nobody', fileHeader('/a', 0)],
      ['cp1', fileHeader('a', 0)],
      ['cp1', fileHeader('/a/../b', 0)],
      ['cp1', fileHeader('/a//b', 0)],
      ['cp1', fileHeader('/a/', 0)],
      ['cp1', fileHeader('/', 0)],
      ['cp1', fileHeader(`/${'a'.repeat(4000)}`, 0)],
      ['cp1', fileHeader('/etc/l', 0)],
      ['cp1', fileHeader('/etc/l/passwd', 0)],
      ['cp1', fileHeader('/etc/m', 0, link('../../opt'))],
      ['cp1', fileHeader('/etc/m', 0, link('/../opt'))],
      ['cp1', fileHeader('/etc/m', 0, link(''))],
      ['cp1', fileHeader('/etc/m', 5, { type: 'directory' })],
      ['cp1', fileHeader('/etc/m', 0, { mode: 0o100644 })],
      ['cp1', fileHeader('/etc/m', 0, { uid: -1 })],
      ['cp1', fileHeader('/dev/null', 0, { type: 'device' as 'file' })],
    ] as const) {
      expect([
        header.path,
        await codeOf(writer.nodeFile(node, header, inPieces(Buffer.alloc(0)))),
      ]).toEqual([header.path, refused.code]);
    }
    writer.abort(new Error('done'));
  });

  it('refuses a description that no reader would take', async () => {
    for (const [problem, change] of [
      ['nodes[0].name', { nodes: [{ name: '../x' }] }],
      ['nodes', { nodes: [] }],
      ['createdAt', { createdAt: 'yesterday' }],
      ['snapshot.size', { snapshot: { member: 'a', size: 0 } }],
      [
        'cluster.caFingerprint',
        { cluster: { name: 'a', layout: 'kubeadm', caFingerprint: 'x' } },
      ],
      [
        'two machines are named cp1',
        { workers: [{ name: 'cp1', address: 'a', hostKey: 'b' }] },
      ],
    ] as const) {
      const { writer } = begin();
      const description = { ...sampleDescription(10), ...change } as any;
      await expect(writer.description(description)).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(problem),
      });
      writer.abort(new Error('done'));
    }
  });

  it('keeps the order', async () => {
    const { writer } = begin();
    await expect(writer.snapshot(1, inPieces(bytesOf(1)))).rejects.toThrow(
      'out of order',
    );
    await writer.description(sampleDescription(1));
    await expect(
      writer.finish({ revision: 1, snapshotSha256: '' }),
    ).rejects.toThrow('out of order');
    await writer.snapshot(1, inPieces(bytesOf(1)));
    await expect(writer.nodeFile('cp1', fileHeader('/a', 0))).rejects.toThrow(
      'out of order',
    );
    writer.abort(new Error('done'));
  });

  it('stops on both ends when aborted, and says why', async () => {
    const stop = new AbortController();
    const writer = createArchive({
      recipients: [recipient],
      signingKey,
      signal: stop.signal,
    });
    const bytes = collected(writer.ciphertext);
    const why = new Error('cancelled by a person');
    await writer.description(sampleDescription(1e9));
    async function* silent() {
      yield bytesOf(100);
      stop.abort(why);
      yield bytesOf(100);
    }
    await expect(writer.snapshot(1e9, silent())).rejects.toBe(why);
    await expect(bytes).rejects.toBe(why);
  });

  it('waits for a slow reader, and ends when the reader does', async () => {
    const writer = createArchive({ recipients: [recipient], signingKey });
    let given = 0;
    async function* endless() {
      for (;;) {
        given += 65536;
        yield bytesOf(65536, 256, given);
      }
    }
    const writing = (async () => {
      await writer.description(sampleDescription(1e12));
      await writer.snapshot(1e12, endless());
    })();
    writing.catch(() => {});
    const reading = writer.ciphertext[Symbol.asyncIterator]();
    for (let i = 0; i < 4; i++) {
      await reading.next();
    }
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(given).toBeLessThan(16 * 2 ** 20);
    const full = new Error('no space');
    writer.ciphertext.destroy(full);
    await expect(writing).rejects.toBe(full);
  });

  it('says that the reader went away without a word', async () => {
    const writer = createArchive({ recipients: [recipient], signingKey });
    const writing = (async () => {
      await writer.description(sampleDescription(1e9));
      await writer.snapshot(1e9, inPieces(bytesOf(8_000_000), 65536));
    })();
    writing.catch(() => {});
    for await (const _ of writer.ciphertext) {
      break;
    }
    await expect(writing).rejects.toMatchObject({ code: 'archive-abandoned' });
  });
});

describe('readArchive', () => {
  it('finds every cut and every altered byte', async () => {
    const { bytes } = await writeSample(sample(bytesOf(150_000)), [recipient]);
    const step = Math.floor(bytes.length / 60);
    for (let at = 0; at < bytes.length; at += step) {
      expect([at, await codeOf(readBack(bytes.subarray(0, at)))]).toEqual([
        at,
        'archive-truncated',
      ]);
      const altered = Buffer.from(bytes);
      altered[at] ^= 0x10;
      expect([at, await codeOf(readBack(altered))]).toEqual([
        at,
        expect.stringMatching(
          /^archive-(altered|truncated|not-ours|wrong-key)$/,
        ),
      ]);
    }
    expect(
      await codeOf(readBack(Buffer.concat([bytes, Buffer.from([0])]))),
    ).toMatch(/^archive-(altered|truncated)$/);
    expect(await codeOf(readBack(bytes))).toBe('read');
  });

  const flag = (type: string) => (header: Buffer) => {
    header.write(type, 156);
    return header;
  };
  /** An extended header with these records. */
  const extended = (records: string) =>
    Buffer.concat([
      resummed(
        flag('x')(
          encodeHeader({
            name: 'PaxHeader',
            type: 'file',
            mode: 0o600,
            uid: 0,
            gid: 0,
            size: records.length,
            mtime: 0,
          }),
        ),
      ),
      Buffer.alloc(512, Buffer.from(records.padEnd(512, '\0'))),
    ]);
  const whole: Forgery = {
    entries: [{ name: 'nodes/cp1/etc/a', content: Buffer.from('a') }],
  };
  const replace = (name: string, content: Buffer): Forgery => ({
    ...whole,
    edit: entries =>
      entries.map(e => (e.name === name ? { ...e, content } : e)),
  });

  it.each<[string, string, Forgery]>([
    ['nothing', 'read', whole],
    [
      'a file with other bytes',
      'archive-altered',
      replace('nodes/cp1/etc/a', Buffer.from('b')),
    ],
    [
      'a file with another mode',
      'archive-altered',
      {
        ...whole,
        edit: e => e.map((x, i) => (i === 1 ? { ...x, mode: 0o4755 } : x)),
      },
    ],
    [
      'a file with another owner',
      'archive-altered',
      {
        ...whole,
        edit: e => e.map((x, i) => (i === 1 ? { ...x, uid: 7 } : x)),
      },
    ],
    [
      'a file under another name',
      'archive-altered',
      {
        ...whole,
        edit: e =>
          e.map((x, i) => (i === 1 ? { ...x, name: 'nodes/cp1/etc/b' } : x)),
      },
    ],
    [
      'a file more',
      'archive-altered',
      {
        ...whole,
        edit: ([first, ...rest]) => [
          first,
          { name: 'nodes/cp2/etc/b', content: Buffer.from('b') },
          ...rest,
        ],
      },
    ],
    [
      'a file less',
      'archive-altered',
      { ...whole, edit: e => e.filter((_, i) => i !== 1) },
    ],
    [
      'another snapshot',
      'archive-altered',
      replace('etcd/snapshot.db', withTrailer(Buffer.from('THE SNAPSHOT'))),
    ],
    [
      'a description that was not signed',
      'archive-altered',
      replace(
        'backup.json',
        json({ ...sampleDescription(44), createdAt: '2020-01-01T00:00:00Z' }),
      ),
    ],
    [
      'checksums that were not signed',
      'archive-signature-invalid',
      {
        ...whole,
        edit: e =>
          e.map(x =>
            x.name === 'checksums.json'
              ? { ...x, content: Buffer.concat([x.content!, Buffer.from(' ')]) }
              : x,
          ),
      },
    ],
    [
      'no signature',
      'archive-truncated',
      { ...whole, edit: e => e.slice(0, -1) },
    ],
    [
      'no checksums',
      'archive-altered',
      { ...whole, edit: e => e.filter(x => x.name !== 'checksums.json') },
    ],
    [
      'two signatures',
      'archive-altered',
      { ...whole, edit: e => [...e, e[e.length - 1]] },
    ],
    [
      'the snapshot before the files',
      'archive-altered',
      { ...whole, edit: ([d, f, s, ...rest]) => [d, s, f, ...rest] },
    ],
    [
      'bytes after the end',
      'archive-altered',
      { tar: tar => Buffer.concat([tar, Buffer.alloc(512)]) },
    ],
    [
      'an entry after the end',
      'archive-altered',
      { tar: tar => Buffer.concat([tar, Buffer.alloc(512, 1)]) },
    ],
    [
      'a path that climbs',
      'archive-altered',
      { entries: [{ name: 'nodes/cp1/../../etc/a', content: json({}) }] },
    ],
    [
      'an absolute path',
      'archive-altered',
      { entries: [{ name: '/etc/a', content: json({}) }] },
    ],
    [
      'a machine that is not described',
      'archive-altered',
      { entries: [{ name: 'nodes/other/etc/a', content: json({}) }] },
    ],
    [
      'a file twice',
      'archive-altered',
      { entries: [whole.entries![0], whole.entries![0]] },
    ],
    [
      'a hard link',
      'archive-altered',
      {
        entries: [
          { name: 'nodes/cp1/a', linkname: '../../etc/shadow', raw: flag('1') },
        ],
      },
    ],
    [
      'a device',
      'archive-altered',
      { entries: [{ name: 'nodes/cp1/a', raw: flag('3') }] },
    ],
    [
      'a link out of the tree',
      'archive-altered',
      {
        entries: [
          { name: 'nodes/cp1/a', type: 'symlink', linkname: '../../../etc' },
        ],
      },
    ],
    [
      'a file behind a link',
      'archive-altered',
      {
        entries: [
          { name: 'nodes/cp1/a', type: 'symlink', linkname: 'etc' },
          { name: 'nodes/cp1/a/b', content: json({}) },
        ],
      },
    ],
    [
      'an extended header of another kind',
      'archive-altered',
      {
        entries: [
          {
            name: 'nodes/cp1/a',
            content: json({}),
            raw: header =>
              Buffer.concat([extended('22 GNU.sparse.major=1\n'), header]),
          },
        ],
      },
    ],
    [
      'a checksum list that is none',
      'archive-altered',
      { ...whole, checksums: () => ({ formatVersion: 1, entries: 'all' }) },
    ],
    [
      'a description that is none',
      'archive-altered',
      { description: { formatVersion: 1 } },
    ],
    [
      'a description of a newer format',
      'archive-newer-format',
      { description: { formatVersion: 2, everything: 'else' } },
    ],
    [
      "bmctl's content",
      'archive-not-ours',
      {
        edit: () => [
          { name: 'lab_backup/etcd-snapshot.db', content: Buffer.from('x') },
        ],
      },
    ],
    ['an empty tar', 'archive-not-ours', { edit: () => [] }],
  ])('reads an archive with %s as: %s', async (_, code, forgery) => {
    const bytes = await wrap(forgeTar(forgery), recipient);
    expect(await codeOf(readBack(bytes, 1000))).toBe(code);
  });

  it('finds what hides between the entries', async () => {
    const tar = forgeTar(whole);
    // After backup.json: a global header, which other tars would apply to all that follows.
    const first =
      512 + Math.ceil(json(sampleDescription(44)).length / 512) * 512;
    const header = flag('g')(extended('20 comment=hidden!!\n'));
    for (const hidden of [
      resummed(header),
      Buffer.alloc(512),
      Buffer.alloc(2048),
    ]) {
      const bytes = await wrap(
        Buffer.concat([tar.subarray(0, first), hidden, tar.subarray(first)]),
        recipient,
      );
      expect(await codeOf(readBack(bytes))).toBe('archive-altered');
    }
    for (const cut of [512, 1024, 1025, 2000]) {
      const bytes = await wrap(tar.subarray(0, -cut), recipient);
      expect(await codeOf(readBack(bytes))).toMatch(
        /^archive-(altered|truncated)$/,
      );
    }
    expect(await codeOf(readBack(await wrap(bytesOf(2000), recipient)))).toBe(
      'archive-not-ours',
    );
  });

  it('tells a key that is not the one by its fingerprint', async () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    const { bytes, summary } = await writeSample(
      sample(bytesOf(10)),
      [recipient],
      { signingKey: other },
    );
    const { proof } = await readBack(bytes);
    expect(proof.signer).toBe(keyFingerprint(other));
    expect(proof.signer).not.toBe(keyFingerprint(signingKey));
    expect(() =>
      verifySummary(encodeSummary(summary), [keyFingerprint(signingKey)]),
    ).toThrow(expect.objectContaining({ code: 'summary-signer-untrusted' }));
  });

  it('waits for its visitor, lets it leave early, and passes its failure on', async () => {
    const { bytes } = await writeSample(sample(bytesOf(12_000_000)), [
      recipient,
    ]);
    let taken = 0;
    async function* counted() {
      for await (const piece of inPieces(bytes, 65536)) {
        taken += piece.length;
        yield piece;
      }
    }
    const keys = { identities: [identity] };
    let takenEarly = 0;
    await readArchive(counted(), keys, {
      async snapshot(_, content) {
        for await (const _chunk of content) {
          await new Promise(resolve => setTimeout(resolve, 200));
          takenEarly = taken;
          break;
        }
      },
    });
    expect(takenEarly).toBeLessThan(6_000_000);

    const why = new Error('the node has no room');
    await expect(
      readArchive(counted(), keys, {
        async nodeFile() {
          throw why;
        },
      }),
    ).rejects.toBe(why);

    const stop = new AbortController();
    async function* silent() {
      yield bytes.subarray(0, 100_000);
      await new Promise(() => {});
    }
    setTimeout(() => stop.abort(why), 50);
    await expect(
      readArchive(silent(), { ...keys, signal: stop.signal }),
    ).rejects.toBe(why);
  });
});
