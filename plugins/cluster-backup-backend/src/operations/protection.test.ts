import { mockServices } from '@backstage/backend-test-utils';
import { readProtection, requestsExpireAfter } from './protection';

const of = (clusterBackup: object) =>
  mockServices.rootConfig({ data: { clusterBackup } });

it('is for all clusters what it says, and for one what that one says', () => {
  const clusters = [
    { name: 'production' },
    { name: 'lab', protection: { secondPerson: false, retention: {} } },
  ];
  const protection = { secondPerson: true };
  const protectionOf = readProtection(of({ protection, clusters }));
  expect(protectionOf('production').secondPerson).toBe(true);
  expect(protectionOf('lab').secondPerson).toBe(false);
  expect(protectionOf(undefined).secondPerson).toBe(true);
  expect(readProtection(of({}))('lab').secondPerson).toBe(false);
});

it('lets the last backup be so old', () => {
  const clusters = [{ name: 'lab', protection: { maxAgeHours: 48 } }];
  const protection = { maxAgeHours: 26 };
  const protectionOf = readProtection(of({ protection, clusters }));
  expect(protectionOf('lab').maxAgeHours).toBe(48);
  expect(protectionOf('production').maxAgeHours).toBe(26);
  expect(readProtection(of({}))('lab').maxAgeHours).toBeUndefined();
  expect(() => readProtection(of({ protection: { maxAgeHours: 0 } }))).toThrow(
    /maxAgeHours 0 is no number of hours/,
  );
});

it.each([{ secondperson: true }, { secondPerson: true, every: 'day' }])(
  'refuses %j',
  protection => {
    expect(() => readProtection(of({ protection }))).toThrow(
      /protection has \w+, which nobody knows/,
    );
  },
);

it('lets a request count for a day', () => {
  expect(requestsExpireAfter(of({}))).toBe(86_400_000);
  const hours = (expireAfterHours: number) =>
    requestsExpireAfter(of({ restoreRequests: { expireAfterHours } }));
  expect(hours(2)).toBe(7_200_000);
  expect(() => hours(0)).toThrow(/hours/);
});
