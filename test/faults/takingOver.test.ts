import { LabNode } from '@cluster-backup/lab';
import { undoRestore } from '@cluster-backup/engine';
import { End } from './engineOrder';
import { bundleEngine, EngineProcess, runEngine } from './engineProcess';
import { Scene } from './scene';

const whole = process.env.FAULTS === 'whole';

jest.setTimeout(600_000);

// As an operator who may not log in as root; the table of kills is root's.
describe('one engine after another', () => {
  let scene: Scene | undefined;

  beforeAll(bundleEngine);
  beforeEach(async () => {
    scene ??= await Scene.set('sudo');
  });
  afterAll(() => scene?.stop());

  /** A lab on which one case failed serves no other. */
  async function on(act: (scene: Scene) => Promise<void>) {
    try {
      await act(scene!);
    } catch (error) {
      await scene!.stop();
      scene = undefined;
      throw error;
    }
  }

  const ways = {
    async resume(stage: Scene) {
      await stage.resume();
      await stage.proveRestored();
    },
    async undo(stage: Scene) {
      await stage.undo();
      await stage.proveAsBefore();
    },
  };

  const frozen: Array<Omit<End, 'signal'> & { way: 'resume' | 'undo' }> = [
    { step: 'point-of-no-return', point: 'before', nth: 1, way: 'undo' },
    ...(whole
      ? ([
          { step: 'claim', point: 'between', nth: 1, way: 'undo' },
          { step: 'build', point: 'before', nth: 1, way: 'resume' },
          { step: 'build', point: 'between', nth: 2, way: 'resume' },
          { step: 'park-control-plane', point: 'after', nth: 3, way: 'resume' },
          { step: 'park-etcd', point: 'between', nth: 1, way: 'resume' },
          { step: 'swap-data', point: 'before', nth: 1, way: 'undo' },
          { step: 'return-etcd', point: 'after', nth: 3, way: 'resume' },
          { step: 'return-api-servers', point: 'after', nth: 1, way: 'resume' },
          { step: 'release', point: 'before', nth: 1, way: 'resume' },
        ] as const)
      : []),
  ];

  it.each(frozen)(
    'frozen at $point $step it wakes up after another has ended with $way',
    async ({ way, ...end }) => {
      await on(async stage => {
        const backup = await stage.prepare();
        const first = await EngineProcess.start(stage.stage, backup, {
          act: 'restore',
          end: { ...end, signal: 'SIGSTOP' },
        });
        try {
          await first.stopped();
          await ways[way](stage);
          const before = await stage.look();
          first.signal('SIGCONT');
          const { failed } = await first.ended();
          expect(failed?.code).toBe('machine-fenced');
          expect(await stage.look()).toEqual(before);
        } finally {
          first.signal('SIGKILL');
        }
      });
    },
  );

  /** Signals whatever builds a member on a node, looking for it so many times. */
  const signalBuilder = (node: LabNode, signal: string, tries: number) =>
    node.exec([
      'sh',
      '-c',
      `for try in $(seq ${tries}); do
  found=$(grep -ls -e '--mark-compac[t]ed' /proc/[0-9]*/cmdline) && break
done
for file in $found; do
  pid=\${file#/proc/}
  kill -s ${signal} "\${pid%/cmdline}" || true
done
echo "$found"`,
    ]);

  it.each(whole ? (['resume', 'undo'] as const) : (['resume'] as const))(
    'a command that outlives its engine does not disturb a %s',
    async way => {
      await on(async stage => {
        const backup = await stage.prepare();
        const node = stage.stage.lab.nodes[1];
        const first = await EngineProcess.start(stage.stage, backup, {
          act: 'restore',
        });
        try {
          await first.reached('build', 'before');
          const { stdout } = await signalBuilder(node, 'STOP', 500);
          expect(stdout).toContain('cmdline');
        } finally {
          first.signal('SIGKILL');
        }
        await first.ended();
        // It goes on when the next attempt has begun.
        await Promise.all([ways[way](stage), signalBuilder(node, 'CONT', 1)]);
      });
    },
  );

  it.each(whole ? (['undo', 'resume'] as const) : (['undo'] as const))(
    'an undo that does not reach every machine is ended by %s when it is back',
    async way => {
      await on(async stage => {
        const backup = await stage.prepare();
        const { signal } = await runEngine(stage.stage, backup, {
          act: 'restore',
          end: {
            step: 'return-etcd',
            point: 'after',
            nth: 3,
            signal: 'SIGKILL',
          },
        });
        expect(signal).toBe('SIGKILL');
        const { cluster, lab } = stage.stage;
        const [, , away] = lab.nodes;
        await away.system.powerOff();
        await expect(undoRestore({ cluster })).rejects.toMatchObject({
          code: 'undo-incomplete',
          details: { givenUp: [away.name] },
        });
        await away.system.powerOn();
        await ways[way](stage);
      });
    },
  );

  const times = Array.from({ length: whole ? 8 : 1 }, () =>
    Math.round(500 + 12_000 * Math.random()),
  );
  it.each(times.map((ms, i) => [ms, i % 2 ? 'resume' : 'undo'] as const))(
    'killed after %d ms, anywhere: %s',
    async (dieAfterMs, way) => {
      await on(async stage => {
        const backup = await stage.prepare();
        const { passed } = await runEngine(stage.stage, backup, {
          act: 'restore',
          dieAfterMs,
        });
        const at = passed.at(-1) ?? { step: 'nothing', point: 'before' };
        process.stderr.write(`killed after ${at.step}, ${at.point}\n`);
        const outcome = await ways[way](stage).then(
          () => way,
          error => error.code,
        );
        expect([
          way,
          'restore-past-return',
          'restore-none-unfinished',
        ]).toContain(outcome);
        if (outcome === 'restore-past-return') await ways.resume(stage);
        if (outcome === 'restore-none-unfinished') {
          // Killed before the first claim, or after the last release.
          await (at.step === 'release'
            ? stage.proveRestored()
            : stage.proveAsBefore());
        }
      });
    },
  );
});
