import { createHash } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterBackupError } from '../errors';
import { connectMember } from './connectMember';
import { EtcdMember, SnapshotStream } from './EtcdMember';
import { SnapshotPart } from './snapshotParts';
import { openSnapshotStream } from './snapshotStream';
import { RealEtcd, RealMember, startEtcd } from './__testUtils__/realEtcd';

const never = new AbortController().signal;

let etcd: RealEtcd;
let real: RealMember;
let member: EtcdMember;
beforeAll(async () => {
  etcd = await startEtcd(1);
  [real] = etcd.members;
  const value = Buffer.alloc(1 << 20, 'x');
  for (let i = 0; i < 40; i++) {
    await etcd.client.put(`/large/${i}`).value(value);
  }
});
afterAll(() => etcd?.close());
beforeEach(async () => {
  member = await connectMember(real.node, { signal: never });
});
afterEach(() => member.close());

/** Reads a snapshot, with something done to it after its first block. */
async function read(
  { stream }: SnapshotStream,
  meanwhile: () => Promise<void> | void = () => {},
) {
  let bytes = 0;
  for await (const block of stream) {
    if (bytes === 0) {
      await meanwhile();
    }
    bytes += block.length;
  }
  return bytes;
}

const code = async (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: ClusterBackupError) => error.code ?? error.message,
  );

it('waits for a slow reader, with little in memory, and ends well', async () => {
  const snapshot = await member.snapshot(never);
  const before = process.memoryUsage();
  let most = 0;
  const bytes = await read(snapshot, async () => {
    await sleep(1500);
    // Other calls are not held up by a stream whose window is used up.
    expect((await member.status()).revision).toBe(41);
    const now = process.memoryUsage();
    most = now.external + now.arrayBuffers;
  });
  expect(bytes).toBe(snapshot.size);
  expect(most - before.external - before.arrayBuffers).toBeLessThan(48 << 20);
  await expect(snapshot.facts).resolves.toMatchObject({ revision: 41 });
});

it('fails when etcd dies in the middle', async () => {
  const snapshot = await member.snapshot(never);
  try {
    const failed = await code(read(snapshot, () => real.stop('SIGKILL')));
    expect(failed).toBe('etcd-unreachable');
    expect(await code(snapshot.facts)).toBe('etcd-unreachable');
  } finally {
    await real.start();
    await etcd.tool('etcdctl', 'endpoint', 'health');
  }
});

it('fails when the connection breaks in the middle', async () => {
  const snapshot = await member.snapshot(never);
  const failed = await code(
    read(snapshot, () => {
      real.node.machine.connections.forEach(({ stream }) => stream.destroy());
    }),
  );
  expect(failed).toBe('etcd-unreachable');
});

it('notices within 15 s that nothing comes any more', async () => {
  const snapshot = await member.snapshot(never);
  const started = performance.now();
  try {
    const failed = await code(
      read(snapshot, () => {
        real.process.kill('SIGSTOP');
      }),
    );
    expect(['etcd-snapshot-stalled', 'etcd-unreachable']).toContain(failed);
    expect(performance.now() - started).toBeLessThan(15_000);
  } finally {
    real.process.kill('SIGCONT');
  }
});

it('ends when it is cancelled, and when nobody reads on', async () => {
  const stop = new AbortController();
  const snapshot = await member.snapshot(stop.signal);
  const reason = new Error('cancelled by a person');
  expect(await code(read(snapshot, () => stop.abort(reason)))).toBe(
    reason.message,
  );
  const other = await member.snapshot(never);
  for await (const block of other.stream) {
    expect(block.length).toBeGreaterThan(0);
    break;
  }
  expect(await code(other.facts)).toBe('etcd-snapshot-cut');
  expect((await member.status()).revision).toBe(41);
});

describe('a call that does not tell the truth', () => {
  async function messages(): Promise<SnapshotPart[]> {
    const { stream } = await member.snapshot(never);
    const blocks = [];
    for await (const block of stream) {
      blocks.push(block);
    }
    const file = Buffer.concat(blocks);
    const data = file.subarray(0, -32);
    const result = [];
    for (let at = 0; at < data.length; at += 1 << 20) {
      const blob = data.subarray(at, at + (1 << 20));
      result.push({
        remaining: data.length - at - blob.length,
        blob,
      });
    }
    result.push({ remaining: 0, blob: file.subarray(-32) });
    return result;
  }

  /** The same events that such a call gives. */
  async function replay(sent: SnapshotPart[], status = 0) {
    const call = new PassThrough({ objectMode: true });
    const told = Object.assign(call, { cancel() {} });
    const opening = openSnapshotStream(
      {
        member: 'cp1',
        machine: 'cp1',
        call: told,
        takeBlock: () => Buffer.alloc(1 << 16),
        explain: error => error as ClusterBackupError,
      },
      never,
    );
    sent.forEach(message => call.write(message));
    call.end();
    call.emit('status', { code: status, details: 'said so' });
    const snapshot = await opening;
    return read(snapshot);
  }

  it('is caught by count, by hash and by status', async () => {
    const good = await messages();
    const size = good.reduce((sum, { blob }) => sum + blob.length, 0);
    expect(await replay(good)).toBe(size);
    expect(await code(replay(good.slice(0, -1)))).toBe('etcd-snapshot-cut');
    expect(await code(replay(good.slice(0, 5)))).toBe('etcd-snapshot-cut');
    expect(await code(replay([]))).toBe('etcd-snapshot-cut');
    expect(await code(replay([...good, good[1]]))).toBe(
      'etcd-snapshot-corrupt',
    );
    expect(await code(replay(good, 14))).toMatch(/said so/);

    const flipped = good.map(message => ({ ...message }));
    flipped[3].blob = Buffer.from(flipped[3].blob);
    flipped[3].blob[77] += 1;
    expect(await code(replay(flipped))).toBe('etcd-snapshot-corrupt');

    // Whole and well hashed, and yet no database.
    const data = Buffer.alloc(8192, 7);
    const nonsense = [
      { remaining: 0, blob: data },
      {
        remaining: 0,
        blob: createHash('sha256').update(data).digest(),
      },
    ];
    expect(await code(replay(nonsense))).toBe('etcd-snapshot-corrupt');
    // Some count the trailer in.
    expect(
      await replay([
        { ...good[0], remaining: size - good[0].blob.length },
        ...good.slice(1),
      ]),
    ).toBe(size);
    expect(await code(replay([{ ...good[0], remaining: 17 }]))).toBe(
      'etcd-snapshot-corrupt',
    );
  });
});
