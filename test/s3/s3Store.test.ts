import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  setImmediate as turn,
  setTimeout as sleep,
} from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectRetentionCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { BackupStore } from '@cluster-backup/engine';
import { openStore } from '@cluster-backup/backstage-plugin-cluster-backup-backend-module-s3/openStore';
import { HostileNetwork, Trouble } from './HostileNetwork';
import { S3Server, startS3Server } from './S3Server';

jest.setTimeout(180_000);

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const MIB = 1024 * 1024;
const PATIENCE = { stallMs: 1500, attempts: 2 };

let folder: string;
let server: S3Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-s3-'));
  server = await startS3Server(folder);
  await server.createBucket('plain');
  await server.createBucket('locking', { objectLock: true });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

let prefix: string;
beforeEach(() => {
  prefix = `t-${randomBytes(4).toString('hex')}`;
});

async function open(
  options: Record<string, unknown> = {},
  settings?: Record<string, unknown>,
): Promise<BackupStore> {
  const { endpoint, accessKeyId, secretAccessKey } = server;
  const section = {
    ...{ bucket: 'plain', prefix, endpoint, forcePathStyle: true },
    ...(settings ? {} : { accessKeyId, secretAccessKey }),
    ...options,
  };
  const store = { id: 'remote', type: 's3', folder: '/', options: section };
  return openStore(store, settings, PATIENCE);
}

/** What is in memory and not garbage. */
async function liveBytes(): Promise<number> {
  await turn();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** What is held on to. A busy machine takes its time to sweep, so the least of some looks counts. */
async function heldSince(before: number): Promise<number> {
  let least = Infinity;
  for (let looks = 0; looks < 20 && least > 40 * MIB; looks++) {
    least = Math.min(least, (await liveBytes()) - before);
    await sleep(50);
  }
  return least;
}

async function* pieces(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}

/** So many MiB, and their digest as they are made. */
function mebibytes(count: number) {
  const hash = createHash('sha256');
  async function* chunks() {
    const chunk = randomBytes(64 * 1024);
    for (let i = 0; i < count * 16; i++) {
      chunk.writeUInt32BE(i);
      const copy = Buffer.from(chunk);
      hash.update(copy);
      yield copy;
    }
  }
  return { source: chunks(), sha256: () => hash.digest('hex') };
}

async function textOf(store: BackupStore, key: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of await store.get(key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function keys(store: BackupStore, start = ''): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(start)) found.push(key);
  return found;
}

async function halfWritten(bucket = 'plain'): Promise<string[]> {
  const { Uploads = [] } = await server.client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `${prefix}/` }),
  );
  return Uploads.map(({ Key }) => Key!);
}

async function versions(bucket: string) {
  const { Versions = [], DeleteMarkers = [] } = await server.client.send(
    new ListObjectVersionsCommand({ Bucket: bucket, Prefix: `${prefix}/` }),
  );
  return [...Versions, ...DeleteMarkers];
}

describe('a store in a bucket', () => {
  it('gives back what was put, and knows what it has', async () => {
    const store = await open();
    const put = await store.put('prod/lab/b', pieces('one ', '', 'two'));
    await store.put('prod/lab/a', pieces());
    await store.put('prod/labor/c', pieces('c'));
    expect(put).toEqual({
      key: 'prod/lab/b',
      size: 7,
      modifiedAt: expect.any(Date),
    });
    expect(Math.abs(put.modifiedAt.getTime() - Date.now())).toBeLessThan(60e3);
    expect(await store.head('prod/lab/b')).toEqual(put);
    expect(await textOf(store, 'prod/lab/b')).toBe('one two');
    expect(await textOf(store, 'prod/lab/a')).toBe('');
    expect(await keys(store)).toEqual([
      'prod/lab/a',
      'prod/lab/b',
      'prod/labor/c',
    ]);
    expect(await keys(store, 'prod/lab/')).toEqual([
      'prod/lab/a',
      'prod/lab/b',
    ]);
    expect(await keys(store, 'prod/lab')).toHaveLength(3);
    expect(await keys(store, 'other')).toEqual([]);

    await store.remove('prod/lab/b');
    await store.remove('prod/lab/b');
    await store.remove('never/there');
    expect(await store.head('prod/lab/b')).toBeUndefined();
    await expect(store.get('prod/lab/b')).rejects.toMatchObject({
      code: 'store-file-missing',
    });
  });

  it('keeps to its folder of the bucket, and lists all of it', async () => {
    const store = await open({ prefix: `/${prefix}/deep/` });
    const others = await open({ prefix: `${prefix}/deeper` });
    await others.put('a/b', pieces('theirs'));
    const count = 1003;
    const left = Array.from({ length: count }, (_, i) => `all/${i}`);
    const writer = async () => {
      for (let key = left.pop(); key; key = left.pop()) {
        await server.client.send(
          new PutObjectCommand({
            ...{ Bucket: 'plain', Key: `${prefix}/deep/${key}` },
            Body: 'x',
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    expect(await keys(store)).toHaveLength(count);
    expect(await keys(others)).toEqual(['a/b']);
  });

  it('knows which one it is, whoever asks', async () => {
    const [store, again] = [await open(), await open()];
    const [identity, same] = await Promise.all([
      store.identity(),
      again.identity(),
    ]);
    expect(identity).toMatch(/^[0-9a-f-]{36}$/);
    expect(same).toBe(identity);
    expect(await store.identity()).toBe(identity);
    expect(await keys(store)).toEqual([]);
    const another = await open({ prefix: `${prefix}/another` });
    expect(await another.identity()).not.toBe(identity);
  });

  it('never replaces a file, not even one that came meanwhile', async () => {
    const store = await open();
    await store.put('lab/x', pieces('first'));
    let wasAsked = false;
    async function* never() {
      wasAsked = true;
      yield Buffer.alloc(1);
    }
    await expect(store.put('lab/x', never())).rejects.toMatchObject({
      code: 'store-file-exists',
    });
    expect(wasAsked).toBe(false);

    async function* slow() {
      yield Buffer.alloc(9 * MIB);
      await store.put('lab/y', pieces('came meanwhile'));
    }
    await expect(store.put('lab/y', slow())).rejects.toMatchObject({
      code: 'store-file-exists',
    });
    expect(await textOf(store, 'lab/x')).toBe('first');
    expect(await textOf(store, 'lab/y')).toBe('came meanwhile');
    expect(await halfWritten()).toEqual([]);
  });

  it('keeps nothing of what did not end', async () => {
    const store = await open();
    const why = new Error('etcd died');
    async function* failing() {
      yield Buffer.alloc(20 * MIB);
      throw why;
    }
    await expect(store.put('lab/x', failing())).rejects.toBe(why);

    const stop = new AbortController();
    async function* silent() {
      yield Buffer.alloc(20 * MIB);
      setTimeout(() => stop.abort(why), 20);
      await new Promise(() => {});
    }
    const { signal } = stop;
    await expect(store.put('lab/x', silent(), { signal })).rejects.toBe(why);
    await expect(store.put('lab/x', pieces('x'), { signal })).rejects.toBe(why);
    await expect(store.get('lab/x', { signal })).rejects.toBe(why);

    await store.put('lab/y', pieces('y'));
    const filling = Readable.from(pieces('z'));
    const told = once(filling, 'error');
    await expect(store.put('lab/y', filling)).rejects.toMatchObject({
      code: 'store-file-exists',
    });
    expect(await told).toEqual([
      expect.objectContaining({ code: 'store-file-exists' }),
    ]);

    expect(await keys(store)).toEqual(['lab/y']);
    expect(await halfWritten()).toEqual([]);
  });

  it('streams what is larger than its memory, up and down', async () => {
    const network = await HostileNetwork.before(server.endpoint);
    const store = await open({ endpoint: network.endpoint });
    const { source, sha256 } = mebibytes(256);
    const before = await liveBytes();
    let made = 0;
    let ahead = 0;
    let mostHeld = 0;
    async function* counted() {
      for await (const chunk of source) {
        made += chunk.length;
        ahead = Math.max(ahead, made - network.passedOn);
        if (made % (64 * MIB) === 0) {
          mostHeld = Math.max(mostHeld, await heldSince(before));
        }
        yield chunk;
      }
    }
    try {
      const put = await store.put('lab/big', counted());
      expect(put.size).toBe(256 * MIB);
      // Four parts on their way, one that fills.
      expect(ahead).toBeLessThan(48 * MIB);
      expect(mostHeld).toBeLessThan(48 * MIB);

      const hash = createHash('sha256');
      const reading = await store.get('lab/big');
      network.passedBack = 0;
      // Whoever reads may take longer than the network may be silent.
      await sleep(PATIENCE.stallMs * 2);
      expect(reading.readableLength).toBeLessThan(MIB);
      expect(network.passedBack).toBeLessThan(40 * MIB);
      for await (const chunk of reading) hash.update(chunk);
      expect(hash.digest('hex')).toBe(sha256());
    } finally {
      await network.stop();
    }
  });

  it('stops reading when its signal says so', async () => {
    const store = await open();
    await store.put('lab/x', mebibytes(20).source);
    const stop = new AbortController();
    const reading = await store.get('lab/x', { signal: stop.signal });
    await expect(
      (async () => {
        for await (const _ of reading) stop.abort(new Error('enough'));
      })(),
    ).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('sweeps away what others left half-written, of its own and in time', async () => {
    const store = await open();
    const begin = (Key: string) =>
      server.client.send(
        new CreateMultipartUploadCommand({ Bucket: 'plain', Key }),
      );
    await begin(`${prefix}/lab/left`);
    await begin(`${prefix}/not a key of ours`);
    await store.sweep(new Date(Date.now() - 60_000));
    expect(await halfWritten()).toHaveLength(2);
    await store.sweep(new Date(Date.now() + 60_000));
    expect(await halfWritten()).toEqual([`${prefix}/not a key of ours`]);
  });

  it.each(['', '/etc', '../x', 'a//b', 'a/', 'a/.b', 'a/b c', 'a/ä'])(
    'takes no key %j',
    async key => {
      const store = await open();
      for (const attempt of [
        store.put(key, pieces('x')),
        store.get(key),
        store.head(key),
        store.remove(key),
      ]) {
        await expect(attempt).rejects.toMatchObject({
          code: 'store-key-invalid',
        });
      }
    },
  );

  it('takes its credentials from where Backstage has them', async () => {
    const { accessKeyId, secretAccessKey } = server;
    const accountId = '123456789012';
    const keyPair = { accessKeyId, secretAccessKey };
    const ofAccount = { aws: { accounts: [{ accountId, ...keyPair }] } };
    const ofMain = { aws: { mainAccount: keyPair } };
    expect(await keys(await open({ accountId }, ofAccount))).toEqual([]);
    expect(await keys(await open({}, ofMain))).toEqual([]);
    process.env.AWS_ACCESS_KEY_ID = accessKeyId;
    process.env.AWS_SECRET_ACCESS_KEY = secretAccessKey;
    try {
      expect(await keys(await open({}, {}))).toEqual([]);
    } finally {
      delete process.env.AWS_ACCESS_KEY_ID;
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });
});

describe('a bucket with Object Lock', () => {
  const days = (count: number) => Date.now() + count * 24 * 60 * 60 * 1000;

  it('lets nobody remove a locked file, and nobody shorten the lock', async () => {
    const locking = (mode: string, count: number) =>
      open({ bucket: 'locking', objectLock: { mode, days: count } });
    const store = await locking('COMPLIANCE', 3);
    await store.put('lab/x', mebibytes(20).source);
    expect((await store.head('lab/x'))!.lockedUntil).toBeUndefined();
    const until = await store.lock!('lab/x');
    expect(until!.getTime()).toBeGreaterThan(days(3) - 60_000);
    expect(until!.getTime()).toBeLessThan(days(3) + 60_000);
    expect((await store.head('lab/x'))!.lockedUntil).toEqual(until);

    await expect(store.remove('lab/x')).rejects.toMatchObject({
      code: 'store-file-locked',
      message: expect.stringContaining(until!.toISOString()),
    });
    const [{ Key, VersionId }] = await versions('locking');
    await expect(
      server.client.send(
        new DeleteObjectCommand({
          ...{ Bucket: 'locking', Key, VersionId },
          BypassGovernanceRetention: true,
        }),
      ),
    ).rejects.toMatchObject({ name: 'AccessDenied' });

    // Neither shorter nor weaker, though others are configured so.
    const weaker = await locking('GOVERNANCE', 1);
    expect(await weaker.lock!('lab/x')).toEqual(until);
    const { Retention } = await server.client.send(
      new GetObjectRetentionCommand({ Bucket: 'locking', Key, VersionId }),
    );
    expect(Retention).toEqual({ Mode: 'COMPLIANCE', RetainUntilDate: until });
    const longer = await (await locking('COMPLIANCE', 5)).lock!('lab/x');
    expect(longer!.getTime()).toBeGreaterThan(days(5) - 60_000);
    expect(await store.head('lab/x')).toMatchObject({ lockedUntil: longer });
  });

  it('keeps no bytes of what was removed', async () => {
    const store = await open({ bucket: 'locking' });
    await store.put('lab/x', pieces('one'));
    await server.client.send(
      new PutObjectCommand({
        ...{ Bucket: 'locking', Key: `${prefix}/lab/x` },
        Body: 'somebody wrote over it',
      }),
    );
    await store.put('lab/x2', pieces('stays'));
    expect(await store.lock!('lab/x')).toBeUndefined();
    await store.remove('lab/x');
    expect((await versions('locking')).map(({ Key }) => Key)).toEqual([
      `${prefix}/lab/x2`,
    ]);
  });

  it('may lock by itself', async () => {
    const bucket = `${prefix}-default`;
    await server.createBucket(bucket, { objectLock: true });
    await server.client.send(
      new PutObjectLockConfigurationCommand({
        Bucket: bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } },
        },
      }),
    );
    const store = await open({ bucket });
    const { lockedUntil } = await store.put('lab/x', pieces('x'));
    expect(lockedUntil!.getTime()).toBeGreaterThan(days(2) - 60_000);
    const big = await store.put('lab/y', mebibytes(9).source);
    expect(big.lockedUntil).toBeDefined();
    await expect(store.remove('lab/y')).rejects.toMatchObject({
      code: 'store-file-locked',
    });
  });

  it('is told when there is none', async () => {
    const store = await open({ objectLock: { mode: 'GOVERNANCE', days: 1 } });
    await store.put('lab/x', pieces('x'));
    await expect(store.lock!('lab/x')).rejects.toMatchObject({
      code: 'store-lock-missing',
      state: expect.stringContaining('not locked'),
    });
    await expect(store.lock!('lab/y')).rejects.toMatchObject({
      code: 'store-file-missing',
    });
  });
});

describe('a store that refuses', () => {
  const SECRET = 'wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY';

  it.each([
    [
      'no bucket',
      { bucket: 'nowhere' },
      'store-unavailable',
      'no bucket nowhere',
    ],
    [
      'a wrong secret',
      { secretAccessKey: SECRET },
      'store-not-permitted',
      'SignatureDoesNotMatch',
    ],
    [
      'unknown credentials',
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET },
      'store-not-permitted',
      'InvalidAccessKeyId',
    ],
    [
      'nobody there',
      { endpoint: 'http://127.0.0.1:9' },
      'store-unavailable',
      'does not answer',
    ],
  ])('says that there is %s', async (_, options, code, words) => {
    const error = await open(options).catch(thrown => thrown);
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(words),
      state: expect.stringContaining('Nothing on the cluster was changed.'),
      remedy: expect.any(String),
    });
    const { message, state, remedy, details } = error;
    expect(JSON.stringify([message, state, remedy, details])).not.toMatch(
      new RegExp(`${SECRET}|${server.secretAccessKey}`),
    );
  });

  it('says that it is full, and keeps nothing', async () => {
    const bucket = `${prefix}-full`;
    await server.createBucket(bucket, { maxBytes: 30 * MIB });
    const store = await open({ bucket });
    const stored: string[] = [];
    const fill = async () => {
      // The server counts now and then.
      while (stored.length < 10) {
        const key = `lab/${stored.length}`;
        await store.put(key, mebibytes(20).source);
        stored.push(key);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'store-full' });
    expect(stored).not.toEqual([]);
    expect(await keys(store)).toEqual(stored);
    expect(await halfWritten(bucket)).toEqual([]);
  });

  it('says which permission it takes', async () => {
    const bucket = `${prefix}-denied`;
    await server.createBucket(bucket);
    const store = await open({ bucket });
    await store.put('lab/x', pieces('x'));
    await server.client.send(
      new PutBucketPolicyCommand({
        Bucket: bucket,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Deny',
              Principal: '*',
              Action: ['s3:PutObject', 's3:DeleteObject'],
              Resource: `arn:aws:s3:::${bucket}/*`,
            },
          ],
        }),
      }),
    );
    for (const attempt of [
      store.put('lab/y', pieces('y')),
      store.put('lab/z', mebibytes(20).source),
    ]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'store-not-permitted',
        remedy: expect.stringContaining('s3:PutObject'),
      });
    }
    await expect(store.remove('lab/x')).rejects.toMatchObject({
      code: 'store-not-permitted',
      remedy: expect.stringContaining('s3:DeleteObject'),
    });
    expect(await keys(store)).toEqual(['lab/x']);
  });
});

describe('on a network where things happen', () => {
  let network: HostileNetwork;
  let store: BackupStore;
  beforeEach(async () => {
    network = await HostileNetwork.before(server.endpoint);
    store = await open({ endpoint: network.endpoint });
  });
  afterEach(() => network.stop());

  const PART = /PUT .*partNumber=/;
  const SINGLE = /PUT [^?]*lab\/[^?]*(\?x-id=PutObject)?$/;
  const COMPLETE = /POST .*uploadId=/;
  const GET = /GET [^?]*lab\//;

  /** From now on, to so many requests of a kind. */
  function happens(kind: RegExp, trouble: Trouble, times = Infinity) {
    let left = times;
    network.trouble = ({ method, url }) => {
      if (!kind.test(`${method} ${url}`) || left <= 0) return undefined;
      left--;
      return trouble;
    };
  }
  const answer = (status: number, code: string, headers = {}): Trouble => ({
    answer: {
      status,
      headers,
      body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m</Message></Error>`,
    },
  });
  const small = () => pieces('small');
  const large = () => mebibytes(30).source;

  it.each<[string, RegExp, Trouble, () => AsyncIterable<Uint8Array>]>([
    ['a part is cut', PART, { cut: 'request', after: MIB }, large],
    ["a part's answer is lost", PART, { cut: 'answer', after: 0 }, large],
    ['a file is cut', SINGLE, { cut: 'request', after: 0 }, small],
    ["a file's answer is lost", SINGLE, { cut: 'answer', after: 0 }, small],
    ['the last answer is lost', COMPLETE, { cut: 'answer', after: 0 }, large],
    ['a part stalls', PART, { stallAfter: 0 }, large],
    ['it is asked to slow down', PART, answer(503, 'SlowDown'), large],
    ['it fails inside', COMPLETE, answer(500, 'InternalError'), large],
  ])('puts again when %s once', async (_, kind, trouble, source) => {
    happens(kind, trouble, 1);
    const put = await store.put('lab/x', source());
    expect(await store.head('lab/x')).toEqual(put);
    expect(await halfWritten()).toEqual([]);
  });

  it('puts without a condition where the server does not take it', async () => {
    let refused = 0;
    network.trouble = ({ headers }) => {
      if (!headers['if-none-match']) return undefined;
      refused++;
      return answer(501, 'NotImplemented');
    };
    await store.put('lab/x', small());
    await store.put('lab/y', large());
    expect(refused).toBe(2);
    expect(await keys(store)).toEqual(['lab/x', 'lab/y']);
  });

  it.each<[string, RegExp, Trouble, () => AsyncIterable<Uint8Array>, string]>([
    [
      'parts are cut',
      PART,
      { cut: 'request', after: MIB },
      large,
      'unavailable',
    ],
    [
      'files are cut',
      SINGLE,
      { cut: 'request', after: 0 },
      small,
      'unavailable',
    ],
    ['parts stall', PART, { swallowed: true }, large, 'unavailable'],
    ['files stall', SINGLE, { swallowed: true }, small, 'unavailable'],
    ['it is to slow down', PART, answer(503, 'SlowDown'), large, 'busy'],
    [
      'it fails inside',
      COMPLETE,
      answer(500, 'InternalError'),
      large,
      'unavailable',
    ],
    [
      'the clock is wrong',
      SINGLE,
      answer(403, 'RequestTimeTooSkewed'),
      small,
      'clock-skew',
    ],
    [
      'the bucket is elsewhere',
      SINGLE,
      answer(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-south-2' }),
      small,
      'unavailable',
    ],
    ['it is full', PART, answer(507, 'InsufficientStorage'), large, 'full'],
    [
      'a key is not known',
      SINGLE,
      answer(400, 'KMS.NotFoundException'),
      small,
      'failed',
    ],
    [
      'parts are not kept, though it says so',
      PART,
      {
        answer: {
          status: 200,
          headers: { etag: '"0123456789abcdef0123456789abcdef"' },
        },
      },
      large,
      'failed',
    ],
    [
      'files are not kept, though it says so',
      SINGLE,
      {
        answer: {
          status: 200,
          headers: { etag: '"0123456789abcdef0123456789abcdef"' },
        },
      },
      small,
      'not-kept',
    ],
    [
      'nothing is made of the parts, though it says so',
      COMPLETE,
      {
        answer: {
          status: 200,
          body: '<?xml version="1.0"?><CompleteMultipartUploadResult><ETag>"x-4"</ETag></CompleteMultipartUploadResult>',
        },
      },
      large,
      'not-kept',
    ],
  ])('has nothing when %s', async (_, kind, trouble, source, code) => {
    happens(kind, trouble);
    await expect(store.put('lab/x', source())).rejects.toMatchObject({
      code: `store-${code}`,
      message: expect.stringMatching(/remote.*lab\/x/),
      state: expect.stringMatching(/^Nothing /),
    });
    network.trouble = () => undefined;
    expect(await store.head('lab/x')).toBeUndefined();
    expect(await keys(store)).toEqual([]);
    expect(await halfWritten()).toEqual([]);
  });

  it('says where the bucket is', async () => {
    happens(
      SINGLE,
      answer(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-south-2' }),
    );
    await expect(store.put('lab/x', small())).rejects.toMatchObject({
      message: expect.stringContaining(
        'not in region us-east-1 but in eu-south-2',
      ),
    });
  });

  it('has nothing under a name when the network does not come back', async () => {
    happens(PART, { cut: 'request', after: MIB });
    const { trouble } = network;
    network.trouble = asked =>
      asked.method === 'DELETE' ? { cut: 'request', after: 0 } : trouble(asked);
    await expect(store.put('lab/x', large())).rejects.toMatchObject({
      code: 'store-unavailable',
      state: expect.stringContaining('until the store is swept'),
    });
    network.trouble = () => undefined;
    expect(await keys(store)).toEqual([]);
    expect(await halfWritten()).toEqual([`${prefix}/lab/x`]);
    await store.sweep(new Date(Date.now() + 60_000));
    expect(await halfWritten()).toEqual([]);
  });

  it.each<[string, Trouble, RegExp]>([
    ['is cut', { cut: 'answer', after: 3 * MIB }, /cut after \d+ of 9437184/],
    ['stalls', { stallAfter: 3 * MIB }, /nothing came for 1.5 s/],
    ['is short', { shortenTo: 3 * MIB }, /does not say how long it is/],
  ])('never takes what %s for the whole', async (_, trouble, words) => {
    await store.put('lab/x', mebibytes(9).source);
    happens(GET, trouble);
    const read = async () => {
      const reading = await store.get('lab/x');
      let received = 0;
      for await (const chunk of reading) received += chunk.length;
      return received;
    };
    await expect(read()).rejects.toMatchObject({
      code: 'store-failed',
      message: expect.stringMatching(words),
    });
    network.trouble = () => undefined;
    expect(await read()).toBe(9 * MIB);
  });

  it('gives up a download that does not begin', async () => {
    await store.put('lab/x', small());
    happens(GET, { stallAfter: 0 });
    await expect(store.get('lab/x')).rejects.toMatchObject({
      code: 'store-unavailable',
    });
  });

  it('believes no lock that it does not see', async () => {
    const objectLock = { mode: 'COMPLIANCE', days: 1 };
    const locking = await open({
      ...{ bucket: 'locking', objectLock, endpoint: network.endpoint },
    });
    await locking.put('lab/x', small());
    happens(/PUT .*retention/, { answer: { status: 200 } });
    await expect(locking.lock!('lab/x')).rejects.toMatchObject({
      code: expect.stringMatching(/^store-/),
      state: expect.stringContaining('The file is kept'),
    });
    network.trouble = () => undefined;
    expect((await locking.head('lab/x'))!.lockedUntil).toBeUndefined();
  });
});
