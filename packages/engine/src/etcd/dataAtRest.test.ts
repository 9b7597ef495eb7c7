import { writeFile, readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { readDataAtRest, streamDataAtRest } from './dataAtRest';
import { RealEtcd, run, startEtcd } from './__testUtils__/realEtcd';

let etcd: RealEtcd;
const { signal } = new AbortController();

beforeAll(async () => {
  etcd = await startEtcd(1);
});
afterAll(() => etcd?.close());

const member = () => etcd.members[0];
const folder = () => `${member().node.etcd.dataDir}/member`;
const look = () => readDataAtRest(member().node.machine, folder(), signal);

async function put(keys: number, size: number) {
  for (let i = 0; i < keys; i++) {
    await etcd.client.put(`/registry/${i}`).value(Buffer.alloc(size, i));
  }
}

async function streamed(name: string) {
  const data = (await look())!;
  const snapshot = streamDataAtRest(member().node.machine, data, { signal });
  const bytes = await buffer(snapshot.stream);
  const file = join(etcd.folder, name);
  await writeFile(file, bytes);
  expect(bytes.length).toBe(snapshot.size);
  return { data, file, facts: await snapshot.facts };
}

async function restart() {
  await member().start();
  for (let tries = 0; ; tries++) {
    try {
      await etcd.tool('etcdctl', 'endpoint', 'health');
      return;
    } catch (error) {
      if (tries === 50) throw error;
    }
  }
}

it('is refused while a process has it open', async () => {
  await expect(look()).rejects.toMatchObject({ code: 'etcd-data-in-use' });
});

it('is nothing where there is none', async () => {
  const { machine } = member().node;
  expect(
    await readDataAtRest(machine, `${etcd.folder}/none`, signal),
  ).toBeUndefined();
});

it.each([
  { keys: 1, size: 10 },
  { keys: 400, size: 2000 },
  { keys: 3, size: 1_200_000 },
])(
  'tells what a stopped etcd last wrote, and streams it as a snapshot ($keys of $size)',
  async ({ keys, size }) => {
    await put(keys, size);
    const { header } = await etcd.client.put('/registry/last').value('written');
    await member().stop();
    const { data, file, facts } = await streamed(`${keys}.db`);
    expect(data.revision).toBe(Number(header.revision));
    expect(facts.revision).toBe(data.revision);
    const status = await run('etcdutl', [
      ...['snapshot', 'status', file, '-w', 'json'],
    ]);
    expect(JSON.parse(status).revision).toBe(data.revision);
    await run('etcdutl', [
      ...['snapshot', 'restore', file],
      ...['--data-dir', join(etcd.folder, `restored-${keys}`)],
    ]);
    await restart();
  },
);

it('is refused when it is another than was looked at', async () => {
  await member().stop();
  const data = (await look())!;
  const { machine } = member().node;
  const stream = (changed: Partial<typeof data>) =>
    buffer(
      streamDataAtRest(machine, { ...data, ...changed }, { signal }).stream,
    );
  await expect(stream({ revision: data.revision + 1 })).rejects.toMatchObject({
    code: 'etcd-data-changed',
  });
  const bytes = await readFile(data.path);
  await writeFile(data.path, bytes.fill(0, 0, 64 << 10));
  await expect(look()).rejects.toMatchObject({ code: 'etcd-data-unreadable' });
});
