import {
  acceptOlderRestores,
  acceptRestore,
  assessCluster,
  BackupResult,
  keptData,
} from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { setStage, Stage } from './stage';
import { failureOf } from './told';

jest.setTimeout(240_000);

let stage: Stage;
let survivor: LabNode;
let others: LabNode[];
let running: BackupResult;
let stopped: BackupResult;

beforeAll(async () => {
  stage = await setStage({ nodes: 3 });
  [survivor, ...others] = stage.lab.nodes;
});
afterAll(() => stage?.stop());

const lastWrite = async () => {
  const { stdout } = await survivor.etcdctl([
    ...['get', '--print-value-only', '/lab/last'],
  ]);
  return stdout.trim();
};

function expectOfSurvivor({ summary, reservations }: BackupResult) {
  expect(summary.description.snapshot.member).toBe(survivor.name);
  expect(reservations).toContainEqual(
    expect.objectContaining({
      code: 'etcd-without-quorum',
      machine: survivor.name,
      message: expect.stringContaining(String(summary.facts.revision)),
    }),
  );
  expect(JSON.stringify(summary.description.reservations)).toContain(
    'etcd-without-quorum',
  );
}

// One story, in its order.
it('a backup of the only member left is taken when it is asked for, and only then', async () => {
  await survivor.etcdctl(['put', '/lab/last', 'before the loss']);
  expect((await assessCluster(stage.access)).advice).toBe('nothing-to-restore');
  for (const node of others) {
    await node.system.stopKubelet();
    await node.etcd.loseData();
  }
  const refused = await failureOf(stage.backUp(), stage);
  expect(refused.code).toBe('etcd-no-quorum');
  expect(refused.remedy).toContain('--without-quorum');
  expect(await assessCluster(stage.access)).toMatchObject({
    advice: 'back-up-survivor',
    survivor: { member: survivor.name },
  });
  running = await stage.backUp({ withoutQuorum: true });
  expectOfSurvivor(running);
});

it('its data is backed up when it is stopped as well', async () => {
  await survivor.system.stopKubelet();
  await survivor.etcd.kill();
  expect(await assessCluster(stage.access)).toMatchObject({
    advice: 'back-up-survivor',
    survivor: { member: survivor.name, data: { size: expect.any(Number) } },
  });
  stopped = await stage.backUp({ withoutQuorum: true });
  expectOfSurvivor(stopped);
  expect(stopped.summary.facts.revision).toBe(running.summary.facts.revision);
});

it('an ordinary restore of either has a cluster again, with the last write before the loss', async () => {
  for (const node of stage.lab.nodes) await node.system.startKubelet();
  for (const backup of [stopped, running]) {
    await stage.restore(backup);
    expect(await lastWrite()).toBe('before the loss');
    await survivor.etcdctl(['put', '/lab/last', 'after a restore']);
  }
});

it('what a restore replaced is listed, backed up, and removed when it is accepted', async () => {
  const { kept, unread } = await keptData(stage.access);
  expect(unread).toEqual([]);
  const operations = [...new Set(kept.map(({ operation }) => operation))];
  expect(operations).toHaveLength(2);
  const [first, second] = operations.sort();
  for (const { path, machine, bytes, since } of kept) {
    const node = stage.lab.nodes.find(({ name }) => name === machine)!;
    await node.exec(['test', '-d', path]);
    expect(bytes).toBeGreaterThan(0);
    expect(Date.now() - Date.parse(since)).toBeLessThan(600_000);
  }

  const { reservations, summary } = await stage.backUp({ kept: second });
  expect(reservations[0].code).toBe('etcd-kept-data');
  expect(summary.facts.revision).toBeGreaterThan(
    stopped.summary.facts.revision,
  );

  const removed = await acceptRestore(stage.access, { operation: first });
  expect(removed.kept).toEqual(
    kept.filter(({ operation }) => operation === first),
  );
  const again = acceptRestore(stage.access, { operation: first });
  expect((await failureOf(again, stage)).code).toBe('kept-data-missing');
  const left = await keptData(stage.access);
  expect(left.kept.map(({ operation }) => operation)).toEqual([
    ...new Array(3).fill(second),
  ]);

  const older = async (days: number) =>
    (await acceptOlderRestores(stage.access, { days })).kept;
  expect(await older(1)).toEqual([]);
  expect(await older(0)).toHaveLength(3);
  expect((await keptData(stage.access)).kept).toEqual([]);
  for (const node of stage.lab.nodes) {
    await node.exec(['sh', '-c', '! ls -d /var/lib/etcd/.cluster-backup-*']);
  }
});
