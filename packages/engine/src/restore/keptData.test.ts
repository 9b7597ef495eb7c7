import { begunAt, isOlder } from './keptData';
import { operationName } from './plan';

it('tells by its name when a restore began', () => {
  const now = new Date('2026-02-03T04:05:06.789Z');
  expect(begunAt(operationName(now))).toBe('2026-02-03T04:05:06Z');
});

it.each(['restore-', 'restore-20260203T040506Z-1/../..', 'lost+found', ''])(
  'takes %p for no restore',
  name => expect(begunAt(name)).toBeUndefined(),
);

it('keeps for whole days', () => {
  const now = new Date('2026-02-10T04:05:06Z');
  expect(isOlder('2026-02-03T04:05:06Z', 7, now)).toBe(true);
  expect(isOlder('2026-02-03T04:05:07Z', 7, now)).toBe(false);
});
