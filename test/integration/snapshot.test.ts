import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupStore, openFilesystemStore } from '@cluster-backup/engine';
import { makeSeed } from '@cluster-backup/lab';
import { eventually } from './eventually';
import { setStage, Stage } from './stage';
import { failureOf } from './told';
import { expectAsBefore, look, Sight } from './unharmed';

jest.setTimeout(180_000);

const NOTICED_WITHIN_MS = 15_000;
/** A line on which the snapshot takes long enough to be interfered with. */
const BYTES_PER_SECOND = 4 << 20;

let folder: string;
let stage: Stage;
let before: Sight;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-seed-'));
  const { snapshotPath } = await makeSeed({
    sizeMiB: 64,
    directory: folder,
    cacheDirectory: resolve(__dirname, '../../.cache/lab'),
  });
  stage = await setStage({ nodes: 1, links: true, seed: snapshotPath });
  before = await look(stage.lab);
});
afterAll(async () => {
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('in the middle of a snapshot', () => {
  it.each([
    {
      name: 'an etcd that dies',
      harm: () => stage.lab.nodes[0].etcd.kill(),
      heal: async () => {},
      codes: ['etcd-unreachable', 'etcd-snapshot-cut', 'dial-closed'],
    },
    {
      name: 'an etcd that stands still',
      harm: () => stage.lab.nodes[0].etcd.freeze(),
      heal: () => stage.lab.nodes[0].etcd.thaw(),
      codes: ['etcd-snapshot-stalled'],
    },
    {
      name: 'an SSH session that drops',
      harm: () => stage.lab.nodes[0].link.cut(),
      heal: () => stage.lab.nodes[0].link.restore(),
      codes: ['machine-connection-lost'],
    },
    {
      name: 'a link that goes silent',
      harm: () => stage.lab.nodes[0].link.freeze(),
      heal: () => stage.lab.nodes[0].link.restore(),
      codes: ['machine-connection-lost'],
    },
  ])('$name is noticed within 15 s', async ({ harm, heal, codes }) => {
    const [node] = stage.lab.nodes;
    let harmed = 0;
    let seconds = 0;
    try {
      const failing = stage.backUp({
        progress: event => {
          if (event.type === 'step' && event.step === 'capture') {
            node.link.slow({ bytesPerSecond: BYTES_PER_SECOND });
          }
          if (event.type === 'bytes' && event.done > 4 << 20 && !harmed) {
            harmed = Date.now();
            harm();
          }
        },
      });
      const failure = await failureOf(failing, stage);
      seconds = (Date.now() - harmed) / 1000;
      expect(harmed).toBeGreaterThan(0);
      expect(codes).toContain(failure.code);
      expect(failure.message).toContain(node.name);
    } finally {
      await heal();
      await node.link.restore();
    }
    expect(seconds * 1000).toBeLessThan(NOTICED_WITHIN_MS);
    expect(await stage.stored()).toEqual([]);
    // The kubelet starts an etcd anew that died.
    await eventually(() => node.etcdctl(['endpoint', 'health']));
    await expectAsBefore(before, stage.lab);
  });
});

/** A store that takes no more than that. */
function slowly(store: BackupStore, bytesPerSecond: number): BackupStore {
  return Object.assign(Object.create(store), {
    id: 'slow',
    put(key: string, source: AsyncIterable<Uint8Array>) {
      async function* paced() {
        for await (const chunk of source) {
          await sleep((chunk.length / bytesPerSecond) * 1000);
          yield chunk;
        }
      }
      return store.put(key, paced());
    },
  });
}

it('is over long before a store that takes 1 MiB a second has it, where the disk is between', async () => {
  const elsewhere = await openFilesystemStore({
    id: 'elsewhere',
    path: join(stage.folder, 'elsewhere'),
  });
  const at: Record<string, number> = {};
  const begun = performance.now();
  const { copies, summary } = await stage.backUp({
    stores: [
      { id: 'local', open: async () => stage.store },
      {
        id: 'slow',
        open: async () => slowly(elsewhere, 1 << 20),
        spool: { directory: folder },
      },
    ],
    progress: event => {
      if (event.type !== 'step') return;
      at[`${event.step} ${event.status}`] = performance.now() - begun;
    },
  });
  const seconds = summary.ciphertext.size / (1 << 20);
  expect(copies.map(({ problem }) => problem)).toEqual([undefined, undefined]);
  expect(seconds).toBeGreaterThan(5);
  expect(at['snapshot done']).toBeLessThan(seconds * 500);
  expect(at['send done']).toBeGreaterThan(seconds * 1000);
});
