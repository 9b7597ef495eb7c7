import { createHash } from 'node:crypto';
import {
  ControlPlane,
  makeControlPlane,
} from '../apiserver/__testUtils__/controlPlane';
import { RegistryEntry, registryContents } from './registryContents';

let plane: ControlPlane;

beforeAll(async () => {
  plane = await makeControlPlane();
  await plane.startEtcd();
}, 30_000);

afterAll(() => plane.remove());

async function collect(revision?: number) {
  const entries: RegistryEntry[] = [];
  for await (const entry of registryContents(plane.etcdAccess, revision)) {
    entries.push(entry);
  }
  return entries;
}

it('reads every key below /registry as it was at a revision, beyond a page', async () => {
  const key = (index: number) => `/registry/things/${10_000 + index}`;
  const put = (name: string, value: string) => ({
    put: { key: Buffer.from(name), value: Buffer.from(value) },
  });
  for (let from = 0; from < 2_400; from += 100) {
    await plane.etcd.txn({
      success: Array.from({ length: 100 }, (_, index) =>
        put(key(from + index), `value ${from + index}`),
      ),
    });
  }
  const written = await plane.etcd.txn({
    success: [put('/registry0', 'after'), put('/other', 'before')],
  });
  const then = written.header.revision;
  await plane.etcd.txn({ success: [put(key(5), 'changed')] });
  await plane.etcd.txn({
    success: [{ deleteRange: { key: Buffer.from(key(6)) } }],
  });

  const before = await collect(then);
  expect(before.map(entry => entry.key)).toEqual(
    Array.from({ length: 2_400 }, (_, index) => key(index)),
  );
  expect(before[5]).toEqual({
    key: key(5),
    valueSha256: createHash('sha256').update('value 5').digest('hex'),
    version: 1,
    createRevision: 2,
    modRevision: 2,
  });

  const after = await collect();
  expect(after).toHaveLength(2_399);
  expect(after[5]).toMatchObject({ version: 2, modRevision: then + 1 });

  await plane.etcd.compact(then + 2, true);
  await expect(collect(then)).rejects.toThrow('compacted');
}, 20_000);
