import { chooseSurvivor } from './survivor';

const data = (size: number) => ({ path: '/db', size, revision: 0 });

it('is the one with the highest revision, whether it runs or not', () => {
  const runs = { member: 'cp1', revision: 7 };
  const stopped = { member: 'cp2', revision: 9, data: data(1) };
  const older = { member: 'cp3', revision: 2, data: data(2) };
  expect(chooseSurvivor([runs, stopped, older])).toBe(stopped);
  expect(chooseSurvivor([older, runs])).toBe(runs);
});

it('is rather one that runs, at the same revision', () => {
  const runs = { member: 'cp2', revision: 9 };
  const stopped = { member: 'cp1', revision: 9, data: data(1) };
  expect(chooseSurvivor([stopped, runs])).toBe(runs);
});

it('is nobody where nobody has data', () => {
  expect(chooseSurvivor([])).toBeUndefined();
});
