import { ClusterBackupError } from '@cluster-backup/engine';
import { Point } from './engineOrder';
import { bundleEngine, runEngine } from './engineProcess';
import { Scene } from './scene';
import { BACK, COMMIT, FORWARD, pointsOf, PREPARE } from './steps';
import { OutcomeTable } from './table';

type Way = 'resume' | 'undo';
interface Case {
  step: string;
  point: Point;
  way: Way;
}

const whole = process.env.FAULTS === 'whole';

const everyCase = (steps: string[], ways: Way[]): Case[] =>
  steps.flatMap(step =>
    pointsOf(step).flatMap(point => ways.map(way => ({ step, point, way }))),
  );

/** One point of each step, and the ways by turns. */
const someCases = (steps: string[], point: Point, first: Way): Case[] =>
  steps.map((step, i) => ({
    step,
    point: pointsOf(step).includes(point) ? point : 'after',
    way: (i % 2 === 0) === (first === 'resume') ? 'resume' : 'undo',
  }));

const killed = whole
  ? [
      ...everyCase([...PREPARE, ...COMMIT], ['resume', 'undo']),
      { step: 'point-of-no-return', point: 'before', way: 'undo' } as const,
      ...everyCase(FORWARD, ['resume']),
    ]
  : [
      ...someCases(['claim', 'build'], 'between', 'undo'),
      ...someCases(COMMIT, 'between', 'resume'),
      ...someCases(['finish'], 'between', 'resume'),
    ];
const killedBack = whole
  ? [
      ...someCases(BACK, 'before', 'undo'),
      ...someCases(BACK, 'between', 'resume'),
      ...someCases(BACK, 'after', 'undo'),
    ]
  : someCases(['undo swap-data', 'undo put-back-files'], 'between', 'undo');
/** While the engine is dead a machine's network goes too: whoever goes on does what can be done, and ends it later. */
const killedAndCut = whole
  ? [
      ...someCases([...PREPARE, ...COMMIT], 'between', 'resume'),
      ...someCases([...PREPARE, ...COMMIT], 'between', 'undo'),
      ...FORWARD.map(
        step => ({ step, point: 'before', way: 'resume' } as const),
      ),
    ]
  : someCases(['put-back-files'], 'between', 'undo');

// By turns the first machine that gets there and the last: the others are then behind it, or ahead.
const machineOf = ({ step, point, way }: Case) =>
  !['claim', 'stage-files'].includes(step) &&
  (point === 'after') === (way === 'resume')
    ? 3
    : 1;

jest.setTimeout(600_000);

/** With GDC the machines are looked up in the archive each time: its API is away for the most of it. */
const flavors = (process.env.FLAVORS ?? 'kubeadm').split(',') as Array<
  'kubeadm' | 'gdc'
>;

describe.each(flavors)('an engine that is killed, %s', flavor => {
  const table = new OutcomeTable(`killed in a restore, ${flavor}`, [
    'resume',
    'undo',
  ]);
  const tableBack = new OutcomeTable(`killed in an undo, ${flavor}`, [
    'undo',
    'resume',
  ]);
  const tableCut = new OutcomeTable(`killed, and a machine cut, ${flavor}`, [
    'resume',
    'undo',
  ]);
  let scene: Scene | undefined;

  beforeAll(bundleEngine);
  beforeEach(async () => {
    scene ??= await Scene.set('root', flavor);
  });
  afterAll(async () => {
    await scene?.stop();
    process.stderr.write(`\n${table}\n\n${tableBack}\n\n${tableCut}\n`);
  });

  /** One case; a lab on which one failed serves no other. */
  async function play(
    { step, point, way }: Case,
    told: OutcomeTable,
    act: (scene: Scene) => Promise<string>,
  ) {
    const start = Date.now();
    try {
      const outcome = await act(scene!);
      const seconds = Math.round((Date.now() - start) / 1000);
      told.note(step, point, way, `${outcome} ${seconds} s`);
      process.stderr.write(
        `${point} ${step}, ${way}: ${outcome} ${seconds} s\n`,
      );
    } catch (error) {
      told.note(step, point, way, 'FAILED');
      process.stderr.write(`${point} ${step}, ${way}: FAILED ${error}\n`);
      await scene!.stop();
      scene = undefined;
      throw error;
    }
  }

  const proofs = {
    restored: (on: Scene) => on.proveRestored(),
    'as before': (on: Scene) => on.proveAsBefore(),
  };

  /** Goes on one way or the other, unless the first engine was so near its end that its machines got there alone. */
  async function goOn(
    on: Scene,
    { step, point, way }: Case,
    end: keyof typeof proofs,
  ): Promise<string> {
    let outcome: keyof typeof proofs =
      way === 'resume' ? 'restored' : 'as before';
    let told: string = outcome;
    try {
      await on[way]();
    } catch (error) {
      const isOver =
        step === 'release' &&
        point === 'after' &&
        (error as ClusterBackupError).code === 'restore-none-unfinished';
      if (!isOver) throw error;
      outcome = end;
      told = `over, ${end}`;
    }
    await proofs[outcome](on);
    return told;
  }

  it('tells every boundary that the table is made of', async () => {
    const backup = await scene!.prepare();
    const names = (passed: Array<{ step: string }>) => [
      ...new Set(passed.map(({ step }) => step)),
    ];
    const cut = await runEngine(scene!.stage, backup, {
      act: 'restore',
      end: { step: COMMIT.at(-1)!, point: 'after', nth: 3, signal: 'SIGKILL' },
    });
    expect(cut.signal).toBe('SIGKILL');
    expect(names(cut.passed)).toEqual([...PREPARE, ...COMMIT]);
    const back = await runEngine(scene!.stage, backup, { act: 'undo' });
    expect(back).toMatchObject({ signal: null, failed: undefined });
    expect(names(back.passed)).toEqual(BACK);
    await scene!.proveAsBefore();

    const all = await runEngine(scene!.stage, backup, { act: 'restore' });
    expect(all).toMatchObject({ signal: null, failed: undefined });
    expect(names(all.passed)).toEqual([...PREPARE, ...COMMIT, ...FORWARD]);
    for (const step of names(all.passed)) {
      const told = all.passed.filter(passed => passed.step === step);
      // One machine alone gets files back.
      const machines = step === 'stage-files' ? 1 : 3;
      expect(told).toHaveLength(machines * pointsOf(step).length);
    }
    await scene!.proveRestored();
  });

  it.each(killed)('$point $step: $way', async one => {
    await play(one, table, async on => {
      const { step, point, way } = one;
      const backup = await on.prepare();
      const nth = machineOf(one);
      const { signal, passed } = await runEngine(on.stage, backup, {
        act: 'restore',
        end: { step, point, nth, signal: 'SIGKILL' },
      });
      expect(signal).toBe('SIGKILL');
      expect(passed.at(-1)).toMatchObject({ step, point });
      if (step === 'claim' && point === 'before') {
        await on.proveRefused(way, 'restore-none-unfinished');
        await on.proveAsBefore();
        return 'not begun';
      }
      const past =
        FORWARD.includes(step) &&
        !(step === 'point-of-no-return' && point === 'before');
      // After the last release nothing is left to be undone.
      if (past && !(step === 'release' && point === 'after')) {
        await on.proveRefused('undo', 'restore-past-return');
      }
      return goOn(on, one, 'restored');
    });
  });

  it.each(killedBack)('$point $step, in an undo: $way', async one => {
    await play(one, tableBack, async on => {
      const { step, point } = one;
      const backup = await on.prepare();
      const cut = await runEngine(on.stage, backup, {
        act: 'restore',
        end: { step: 'return-etcd', point: 'after', nth: 3, signal: 'SIGKILL' },
      });
      expect(cut.signal).toBe('SIGKILL');
      const nth = machineOf(one);
      const back = await runEngine(on.stage, backup, {
        act: 'undo',
        end: { step, point, nth, signal: 'SIGKILL' },
      });
      expect(back.signal).toBe('SIGKILL');
      return goOn(on, one, 'as before');
    });
  });

  it.each(killedAndCut)(
    '$point $step, while a machine is cut: $way',
    async one => {
      await play(one, tableCut, async on => {
        const { step, point, way } = one;
        const backup = await on.prepare();
        const { signal } = await runEngine(on.stage, backup, {
          act: 'restore',
          end: { step, point, nth: 1, signal: 'SIGKILL' },
        });
        expect(signal).toBe('SIGKILL');
        const { link } = on.stage.lab.nodes[2];
        await link.cut();
        await expect(on[way]()).rejects.toMatchObject({
          code: expect.stringMatching(/^(machine-|ssh-|undo-incomplete$)/),
        });
        await link.restore();
        return goOn(on, one, 'restored');
      });
    },
  );
});
