import { Finding } from '../checks';
import { decisionOf, overridden, overriddenFindings } from './decision';

const reason = { text: ' Nothing else is left. ', by: 'user:default/ada' };
const refused = (code: string): Finding => ({
  check: 'x',
  level: 'refusal',
  code,
  message: code,
  remedy: '',
});

it('takes a reason for whatever a restore does not do by itself', () => {
  const all = {
    withFiles: true,
    leaveOut: ['cp-3'],
    overrides: ['archive-expired'],
  };
  expect(decisionOf({ ...all, reason })).toEqual({
    what: ['with-files', 'leave-out cp-3', 'archive-expired'],
    reason: { by: reason.by, text: 'Nothing else is left.' },
  });
  for (const one of Object.entries(all)) {
    const decided = Object.fromEntries([one]);
    for (const missing of [undefined, { ...reason, text: ' \n' }]) {
      expect(() => decisionOf({ ...decided, reason: missing })).toThrow(
        expect.objectContaining({ code: 'reason-missing' }),
      );
    }
  }
  expect(decisionOf({})).toBeUndefined();
  expect(decisionOf({ reason })).toMatchObject({ what: [] });
});

it.each([
  'snapshot-altered-on-node',
  'archive-other-cluster',
  'archive-newer-etcd',
  'archive-newer-kubernetes',
  'disk-full',
  'archive-signer-unknown',
  'toString',
])('lets nobody override %s', code => {
  expect(() => decisionOf({ overrides: [code], reason })).toThrow(
    expect.objectContaining({ code: 'override-never' }),
  );
});

it('makes reservations of what was overridden, and of nothing else', () => {
  const findings = [refused('clock-skew'), refused('image-missing')];
  const decision = decisionOf({ overrides: ['clock-skew'], reason });
  expect(overridden(findings, decision).map(({ level }) => level)).toEqual([
    'reservation',
    'refusal',
  ]);
  expect(overridden(findings)).toEqual(findings);
  expect(overriddenFindings(decision)).toEqual([
    expect.objectContaining({
      level: 'reservation',
      code: 'clock-skew-overridden',
      message: expect.stringContaining(
        'user:default/ada decided to restore all the same: Nothing else is left.',
      ),
    }),
  ]);
  expect(overriddenFindings()).toEqual([]);
});
