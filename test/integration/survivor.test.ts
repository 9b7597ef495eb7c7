import { BackupResult } from '@cluster-backup/engine';
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
  for (const node of others) {
    await node.system.stopKubelet();
    await node.etcd.loseData();
  }
  const refused = await failureOf(stage.backUp(), stage);
  expect(refused.code).toBe('etcd-no-quorum');
  expect(refused.remedy).toContain('--without-quorum');
  running = await stage.backUp({ withoutQuorum: true });
  expectOfSurvivor(running);
});

it('its data is backed up when it is stopped as well', async () => {
  await survivor.system.stopKubelet();
  await survivor.etcd.kill();
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
