import { RecordOnMachine, recordsIn, restoresIn } from './restoresOnRecord';

const operation = 'restore-20260203T040506Z-1f2e3d4c';
const sha256 = 'ab'.repeat(32);

/** What a machine has after these steps, each ended. */
function record(
  steps: string[],
  more: Partial<RecordOnMachine> = {},
): RecordOnMachine {
  const at = (minute: number) => `2026-02-03T04:${String(10 + minute)}:00.000Z`;
  return {
    operation,
    isCurrent: false,
    entries: steps.map((step, i) => ({
      step,
      state: 'done',
      fence: 1,
      at: at(i),
    })),
    ...more,
  };
}

const PREPARED = ['claim', 'scratch', 'receive'];
const COMMITTED = [...PREPARED, 'park-control-plane', 'park-etcd'];
const PASSED = [...COMMITTED, 'point-of-no-return', 'finish', 'release'];

it.each<[string, RecordOnMachine[], object[]]>([
  [
    'one that ended everywhere',
    [record(PASSED, { archiveSha256: sha256 }), record(PASSED)],
    [
      {
        outcome: 'restored',
        begunAt: '2026-02-03T04:05:06Z',
        endedAt: '2026-02-03T04:17:00.000Z',
        archiveSha256: sha256,
      },
    ],
  ],
  [
    'one that a machine was lost of',
    [record(PASSED), record(COMMITTED)],
    [{ outcome: 'restored' }],
  ],
  [
    'one that is held up on one machine',
    [record(PASSED), record(COMMITTED, { isCurrent: true })],
    [{ outcome: 'unfinished', endedAt: undefined }],
  ],
  [
    'one that was taken back',
    [record([...COMMITTED, 'sweep', 'release'])],
    [{ outcome: 'taken-back', endedAt: '2026-02-03T04:16:00.000Z' }],
  ],
  ['a dry run', [record([...PREPARED, 'sweep', 'release'])], []],
  [
    'one that is being prepared',
    [record(PREPARED, { isCurrent: true })],
    [{ outcome: 'unfinished' }],
  ],
  [
    'one that was accepted later',
    [record([...PASSED, 'accept'])],
    [{ outcome: 'restored', endedAt: '2026-02-03T04:17:00.000Z' }],
  ],
])('tells of %s', (_, records, told) => {
  const found = restoresIn(records);
  expect(found).toHaveLength(told.length);
  expect(found).toMatchObject(told);
});

it('tells of several, the newest first', () => {
  const later = 'restore-20260204T040506Z-00000000';
  expect(
    restoresIn([record(PASSED), record(PASSED, { operation: later })]).map(
      found => found.operation,
    ),
  ).toEqual([later, operation]);
});

describe('what a machine prints', () => {
  const plan = {
    planVersion: 1,
    origin: { id: 'op-1', by: 'user:default/ada' },
    decision: { what: ['with-files'], reason: { text: 'why', by: 'ada' } },
    nodes: [{ anything: 'else' }],
  };
  const verified = { archiveSha256: sha256, revision: 5, bump: 6 };
  const entry = { step: 'claim', state: 'done', fence: 1, at: 'then' };
  const print = (...parts: unknown[]) =>
    `${parts
      .map(part => (typeof part === 'string' ? part : JSON.stringify(part)))
      .join('\u0001')}\u0002`;

  it('is who wanted it, why, of which archive, and what was done', () => {
    const whole = print(operation, operation, plan, verified, entry);
    expect(recordsIn(whole)).toEqual([
      {
        operation,
        isCurrent: true,
        archiveSha256: sha256,
        origin: plan.origin,
        decision: plan.decision,
        entries: [entry],
      },
    ]);
  });

  it.each([
    ['nothing', ''],
    ['no name of a restore', print('../up', '', plan, '', '')],
    ['no plan', print(operation, '', '', '', '')],
    ['a later plan', print(operation, '', { planVersion: 2 }, '', '')],
    [
      'a plan of other types',
      print(operation, '', { ...plan, origin: 1 }, '', ''),
    ],
    [
      'somebody with line ends',
      print(operation, '', { ...plan, origin: { by: 'a\nb' } }, '', ''),
    ],
    [
      'an operation by a path',
      print(
        operation,
        '',
        { ...plan, origin: { id: '../a', by: 'a' } },
        '',
        '',
      ),
    ],
    [
      'a name that is too long',
      print(`${operation}99999999`, '', plan, '', ''),
    ],
    ['another proof', print(operation, '', plan, { archiveSha256: 1 }, '')],
    ['a record that was cut off', `${operation}\u0001`],
  ])('is passed over where it is %s', (_, printed) => {
    expect(recordsIn(printed)).toEqual([]);
  });
});
