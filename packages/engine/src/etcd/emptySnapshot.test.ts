import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptySnapshot } from './emptySnapshot';
import { RealEtcd, run, startEtcd } from './__testUtils__/realEtcd';

jest.setTimeout(60_000);

describe('emptySnapshot', () => {
  let folder: string;
  let etcd: RealEtcd | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cb-empty-'));
  });
  afterAll(async () => {
    await etcd?.close();
    await rm(folder, { recursive: true });
  });

  it('is a snapshot to etcdutl, which makes a member of it that etcd starts on and writes to', async () => {
    const snapshot = join(folder, 'empty.db');
    await writeFile(snapshot, emptySnapshot());
    const peer = 'https://127.0.0.1:2380';
    await run('etcdutl', [
      ...['snapshot', 'restore', snapshot, '--name', 'cp1'],
      ...['--initial-cluster', `cp1=${peer}`],
      ...['--initial-advertise-peer-urls', peer],
      ...['--data-dir', join(folder, 'member')],
    ]);

    etcd = await startEtcd(1, { dataFrom: join(folder, 'member') });

    expect(await etcd.client.getAll().keys()).toEqual([]);
    await etcd.client.put('key').value('value');
    expect(await etcd.client.get('key').string()).toBe('value');
  });
});
