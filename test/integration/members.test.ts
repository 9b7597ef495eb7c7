import { BackupResult } from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { eventually } from './eventually';
import { setStage, Stage } from './stage';
import { failureOf } from './told';

jest.setTimeout(180_000);

let stage: Stage;
let nodes: LabNode[];

beforeAll(async () => {
  stage = await setStage({ nodes: 3 });
  ({ nodes } = stage.lab);
});
afterAll(() => stage?.stop());

/** A backup comes from a member that is fit and says why not from the other. */
function expectLeftOut(
  { summary, reservations }: BackupResult,
  node: LabNode,
  codes: string[],
) {
  expect(summary.description.snapshot.member).not.toBe(node.name);
  const told = reservations.filter(({ check }) => check === 'members');
  expect(told.map(({ machine }) => machine)).toContain(node.name);
  const found = told.find(({ machine }) => machine === node.name)!;
  expect(codes).toContain(found.code);
  expect(found.message).toContain(node.name);
  expect(found.remedy).not.toBe('');
  expect(JSON.stringify(summary.description.reservations)).toContain(
    found.code,
  );
}

const eventuallyWhole = () =>
  eventually(() =>
    nodes[0].etcdctl([
      ...['endpoint', 'health', '--cluster', '--command-timeout=2s'],
    ]),
  );

// In an order in which one lab can take them all.
it('a dead member is left out', async () => {
  const [, , node] = nodes;
  await node.system.stopKubelet();
  await node.etcd.kill();
  try {
    expectLeftOut(await stage.backUp(), node, [
      'etcd-unreachable',
      'dial-refused',
    ]);
  } finally {
    await node.system.startKubelet();
  }
  await eventuallyWhole();
});

it('a member that stands still is left out', async () => {
  const [, , node] = nodes;
  await node.etcd.freeze();
  try {
    expectLeftOut(await stage.backUp(), node, ['etcd-unreachable']);
  } finally {
    await node.etcd.thaw();
  }
  await eventuallyWhole();
});

it('a member that lags behind its peers is left out', async () => {
  const [, , node] = nodes;
  await node.link.cutOff();
  try {
    await nodes[0].etcdctl(['put', '/lab/after', 'the cut']);
    expectLeftOut(await stage.backUp(), node, [
      'etcd-no-quorum',
      'etcd-lagging',
    ]);
  } finally {
    await node.link.rejoin();
  }
  await eventuallyWhole();
});

it('without a quorum there is no backup', async () => {
  const dead = nodes.slice(1);
  for (const node of dead) {
    await node.system.stopKubelet();
    await node.etcd.kill();
  }
  try {
    const failure = await failureOf(stage.backUp(), stage);
    expect(failure.code).toBe('etcd-no-quorum');
    expect(failure.state).toContain('Nothing on the cluster was changed');
    for (const { name } of nodes) expect(failure.message).toContain(name);
  } finally {
    for (const node of dead) await node.system.startKubelet();
  }
  await eventuallyWhole();
});

it('a member that is marked corrupt is left out, and with all of them there is no backup', async () => {
  try {
    await nodes[1].etcd.raiseAlarm('CORRUPT');
    expectLeftOut(await stage.backUp(), nodes[1], ['etcd-corrupt']);
    await nodes[0].etcd.raiseAlarm('CORRUPT');
    await nodes[2].etcd.raiseAlarm('CORRUPT');
    const failure = await failureOf(stage.backUp(), stage);
    expect(failure.code).toBe('etcd-corrupt');
    for (const { name } of nodes) expect(failure.message).toContain(name);
  } finally {
    await nodes[0].etcdctl(['alarm', 'disarm']);
  }
});

it('a member that is out of space still gives a backup', async () => {
  await nodes[1].etcd.raiseAlarm('NOSPACE');
  try {
    const { reservations } = await stage.backUp();
    expect(reservations.map(({ code }) => code)).toContain('etcd-nospace');
  } finally {
    await nodes[0].etcdctl(['alarm', 'disarm']);
  }
});

it('a member with other data than the rest is left out', async () => {
  await nodes[2].etcd.breakData();
  expectLeftOut(await stage.backUp(), nodes[2], ['etcd-hash-differs']);
});

it('a learner is left out', async () => {
  await nodes[2].etcd.becomeLearner();
  expectLeftOut(await stage.backUp(), nodes[2], ['etcd-learner']);
});
