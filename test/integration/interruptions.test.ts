import { setTimeout as sleep } from 'node:timers/promises';
import {
  BackupResult,
  Boundary,
  findUnfinishedRestore,
  resumeRestore,
  undoRestore,
} from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { contentsAt, differences } from '../proof/contents';
import { membersAgree } from '../proof/members';
import { setStage, Stage } from './stage';
import { failureOf } from './told';
import { expectAsBefore, expectUntouched, look, Sight } from './unharmed';

jest.setTimeout(180_000);

let stage: Stage;
let backup: BackupResult;
let before: Sight;
let node: LabNode;

beforeAll(async () => {
  stage = await setStage({ nodes: 3, links: true, apiServerStopSeconds: 1 });
  [, node] = stage.lab.nodes;
  backup = await stage.backUp();
});
beforeEach(async () => {
  before = await look(stage.lab);
});
afterAll(() => stage?.stop());

/** Acts once, when a step gets to a point on the machine that is interfered with. */
function at(step: string, point: string, act: () => unknown): Boundary {
  let done = false;
  return (reached, machine, where) => {
    if (done || reached !== step || machine !== node.name || where !== point) {
      return;
    }
    done = true;
    act();
  };
}

describe('a backup that is cancelled', () => {
  it.each(['at once', 'check', 'capture', 'snapshot'])(
    'stores nothing: %s',
    async moment => {
      const stored = await stage.stored();
      const stop = new AbortController();
      if (moment === 'at once') stop.abort();
      const began = Date.now();
      const failure = await failureOf(
        stage.backUp({
          signal: stop.signal,
          progress: event => {
            if (event.type === 'step' && event.step === moment) stop.abort();
          },
        }),
        stage,
      );
      expect(failure.code).toBe('cancelled');
      expect(Date.now() - began).toBeLessThan(10_000);
      expect(await stage.stored()).toEqual(stored);
      await expectUntouched(before, stage.lab);
    },
  );
});

describe('a restore that is cancelled before anything stopped', () => {
  it.each([
    ['at once', ''],
    ['claim', 'between'],
    ['receive', 'before'],
    ['build', 'before'],
    ['place', 'after'],
  ])('leaves nothing behind: %s %s', async (step, point) => {
    const stop = new AbortController();
    if (!point) stop.abort();
    const failure = await failureOf(
      stage.restore(backup, {
        signal: stop.signal,
        boundary: at(step, point, () => stop.abort()),
      }),
      stage,
    );
    expect(failure.code).toBe('cancelled');
    expect(failure.state).toMatch(/taken back|Nothing on the cluster/);
    await expectUntouched(before, stage.lab);
  });
});

describe('a restore that is cancelled while the control plane is stopped', () => {
  it.each([
    ['park-control-plane', 'between'],
    ['swap-data', 'before'],
    ['return-etcd', 'after'],
  ])('is taken back: %s %s', async (step, point) => {
    const stop = new AbortController();
    const failure = await failureOf(
      stage.restore(backup, {
        signal: stop.signal,
        boundary: at(step, point, () => stop.abort()),
      }),
      stage,
    );
    expect(failure.code).toBe('cancelled');
    expect(failure.state).toContain('taken back');
    await expectAsBefore(before, stage.lab);
    expect(await findUnfinishedRestore(stage.cluster)).toBeUndefined();
  });
});

describe('a machine that accepts connections and says nothing', () => {
  afterEach(() => node.link.restore());

  it('keeps a restore from beginning, and is waited for once', async () => {
    await node.link.freeze();
    const began = Date.now();
    const failure = await failureOf(stage.restore(backup), stage);
    expect(Date.now() - began).toBeLessThan(25_000);
    expect(failure.code).toBe('machine-unreachable');
    expect(failure.message).toContain(node.name);
    await node.link.restore();
    await expectUntouched(before, stage.lab);
  });
});

describe('a connection that is lost in the middle of a restore', () => {
  afterEach(() => node.link.restore());

  it.each([
    ['receive', 'before'],
    ['build', 'before'],
    ['park-control-plane', 'before'],
    ['park-control-plane', 'between'],
    ['swap-data', 'between'],
  ])(
    'and does not come back leaves a restore that undo takes back: %s %s',
    async (step, point) => {
      const failure = await failureOf(
        stage.restore(backup, {
          boundary: at(step, point, () => node.link.cut()),
        }),
        stage,
      );
      expect(failure.code).toBe('machine-connection-lost');
      expect(failure.message).toContain(node.name);
      expect(failure.state).toContain(node.name);
      expect(failure.remedy).toMatch(/undo/);

      await node.link.restore();
      expect(await findUnfinishedRestore(stage.cluster)).toMatchObject({
        onlyForward: false,
      });
      await undoRestore({ cluster: stage.cluster });
      await expectAsBefore(before, stage.lab);
      expect(await findUnfinishedRestore(stage.cluster)).toBeUndefined();
    },
  );

  it('and comes back in time leaves nothing to do', async () => {
    const failure = await failureOf(
      stage.restore(backup, {
        boundary: at('park-control-plane', 'between', async () => {
          await node.link.freeze();
          await sleep(12_000);
          await node.link.restore();
        }),
      }),
      stage,
    );
    expect(failure.code).toBe('machine-connection-lost');
    expect(failure.state).toContain('taken back');
    await expectAsBefore(before, stage.lab);
  });

  it('past the point of no return leaves a restore that resume finishes', async () => {
    const expected = await contentsAt(
      stage.lab.nodes[0],
      backup.summary.facts.revision,
    );
    const failure = await failureOf(
      stage.restore(backup, {
        boundary: at('return-api-servers', 'before', () => node.link.cut()),
      }),
      stage,
    );
    expect(failure.code).toBe('machine-connection-lost');
    expect(failure.remedy).toMatch(/resume/);

    await node.link.restore();
    expect(await findUnfinishedRestore(stage.cluster)).toMatchObject({
      onlyForward: true,
    });
    expect(
      (await failureOf(undoRestore({ cluster: stage.cluster }), stage)).code,
    ).toBe('restore-past-return');
    await resumeRestore({ cluster: stage.cluster });
    expect(differences(expected, await contentsAt(stage.lab.nodes[0]))).toEqual(
      [],
    );
    expect(await membersAgree(stage.lab.nodes)).toEqual([]);
  });

  it('is none of a cancelled restore past the point of no return', async () => {
    const stop = new AbortController();
    await stage.restore(backup, {
      signal: stop.signal,
      boundary: at('return-api-servers', 'before', () => stop.abort()),
    });
    expect(stop.signal.aborted).toBe(true);
    expect(await membersAgree(stage.lab.nodes)).toEqual([]);
  });
});
