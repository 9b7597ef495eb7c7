import { Lab, LabNode, startLab } from '@cluster-backup/lab';
import { connectMachine, Machine } from '../machine';
import {
  Attempt,
  change,
  claim,
  note,
  readJournal,
  release,
  stateOf,
  takeOver,
} from './journal';
import { Plan } from './plan';

const first: Attempt = { operation: 'restore-one', fence: 1 };
const second: Attempt = { operation: 'restore-one', fence: 2 };
const plan = { operation: 'restore-one', token: 'sötoken\n' } as Plan;

describe('the journal on a machine', () => {
  let lab: Lab;
  let node: LabNode;
  let machine: Machine;

  beforeAll(async () => {
    lab = await startLab({ nodes: 1, login: 'sudo' });
    [node] = lab.nodes;
    const [access] = lab.access().machines;
    machine = await connectMachine({
      ...access,
      hostKeys: { mode: 'strict', knownHosts: access.knownHosts },
    });
  });
  afterAll(async () => {
    await machine?.close();
    await lab?.stop();
  });
  afterEach(() => node.exec(['rm', '-rf', '/var/lib/cluster-backup']));

  it('tells what was begun, done and undone, to the operation that asks', async () => {
    await claim(machine, first, plan);
    const said = await change(
      machine,
      first,
      'step',
      'echo "$1 $input"',
      ['a b'],
      {
        input: 'given',
      },
    );
    expect(said).toBe('a b given\n');
    const begun = await readJournal(machine);
    expect(begun).toMatchObject({ fence: 1, current: { plan } });
    expect(stateOf(begun, 'step')).toBe('begun');
    expect(stateOf(begun, 'other')).toBe('untouched');
    await note(machine, first, 'step', 'done');
    expect(stateOf(await readJournal(machine), 'step')).toBe('done');
    await note(machine, first, 'step', 'undone');
    expect(stateOf(await readJournal(machine), 'step')).toBe('undone');
    expect(await readJournal(machine, 'restore-two')).toEqual({ fence: 1 });

    await node.exec([
      'sh',
      '-c',
      `printf '{"step":"torn","sta' >> /var/lib/cluster-backup/restore-one/journal`,
    ]);
    await note(machine, first, 'step', 'done');
    expect(stateOf(await readJournal(machine), 'step')).toBe('done');
    await release(machine, first);
    expect(await readJournal(machine)).toEqual({ fence: 1 });
  });

  it('takes no machine for a plan that arrives in part', async () => {
    const dying: Machine = Object.create(machine, {
      run: {
        value: (argv: string[], options: { input: string }) =>
          machine.run(argv, { ...options, input: options.input.slice(0, 20) }),
      },
    });
    await expect(claim(dying, first, plan)).rejects.toMatchObject({
      message: expect.stringContaining('cut short'),
    });
    expect(await readJournal(machine)).toEqual({ fence: 0 });
  });

  it('locks nobody out while a caller that stalls has not given its input', async () => {
    const ended = new AbortController();
    async function* never(): AsyncGenerator<Uint8Array> {
      await new Promise(resolve =>
        ended.signal.addEventListener('abort', resolve),
      );
    }
    let stalled: Promise<unknown> | undefined;
    const stalling: Machine = Object.create(machine, {
      run: {
        value: (argv: string[]) => {
          stalled = machine.write(argv, never()).catch(() => {});
          return new Promise(() => {});
        },
      },
    });
    claim(stalling, first, plan);
    await claim(machine, second, plan);
    expect(await readJournal(machine)).toMatchObject({ fence: 2 });
    ended.abort();
    await stalled;
  });

  it('obeys the highest attempt, and one of them only', async () => {
    await takeOver(machine, first);
    await claim(machine, first, plan);
    await expect(takeOver(machine, first)).rejects.toMatchObject({
      code: 'machine-fenced',
    });
    await change(machine, first, 'step', ':');
    await takeOver(machine, second);
    for (const late of [
      () => change(machine, first, 'step', 'touch /tmp/late'),
      () => note(machine, first, 'step', 'done'),
      () => claim(machine, first, plan),
      () => release(machine, first),
    ]) {
      await expect(late()).rejects.toMatchObject({
        code: 'machine-fenced',
        details: { fence: 1, seen: 2 },
      });
    }
    expect((await node.exec(['ls', '/tmp'])).stdout).not.toContain('late');
    expect(stateOf(await readJournal(machine), 'step')).toBe('begun');

    const other = { operation: 'restore-two', fence: 3 };
    await expect(claim(machine, other, plan)).rejects.toMatchObject({
      code: 'machine-occupied',
      details: { occupiedBy: 'restore-one' },
    });
    await release(machine, second);
    await claim(machine, other, plan);
  });
});
