import {
  Backup,
  BackupCopy,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { judgeProtection, ProtectionFacts } from './judgeProtection';

const NOW = new Date('2026-11-23T12:00:00.000Z');
const fault = {
  code: 'store-full',
  message: 'Store vault is full.',
  state: 'Nothing was kept.',
  remedy: 'Free space there.',
};

const copy = (store: string, state: BackupCopy['state']): BackupCopy => ({
  store,
  state,
  checkedAt: NOW.toISOString(),
  fault: state === 'good' ? undefined : fault,
});
const backup = (more: Partial<Backup> = {}) =>
  ({
    createdAt: '2026-11-23T06:00:00.000Z',
    copies: [copy('local', 'good'), copy('vault', 'good')],
    reservations: [],
    ...more,
  } as unknown as Backup);
const operation = (
  kind: Operation['kind'],
  status: Operation['status'],
): Operation => ({ kind, status, fault } as unknown as Operation);

/** Findings as LEVEL CHECK CODE. */
const check = (findings: string[], startedAt = '2026-11-23T11:00:00.000Z') =>
  ({
    ...operation('check', 'succeeded'),
    startedAt,
    findings: findings.map(finding => {
      const [level, id, code] = finding.split(' ');
      const message = `It is so: ${code}.`;
      return { level, check: id, code, message, remedy: 'Mend it.' };
    }),
  } as unknown as Operation);

const facts = (more: Partial<ProtectionFacts> = {}): ProtectionFacts => ({
  lastBackup: backup(),
  recent: [operation('backup', 'succeeded')],
  recipients: [{ recipient: 'age1', isProven: true }],
  maxAgeHours: 24,
  isScheduled: true,
  stores: ['local', 'vault'],
  expireAfterDays: 365,
  ...more,
});
const judged = (more: Partial<ProtectionFacts>) => {
  const { level, reasons } = judgeProtection(facts(more), NOW);
  return [level, ...reasons.map(({ code }) => code)];
};
const days = (count: number) =>
  new Date(NOW.getTime() - count * 86_400_000).toISOString();

it('is protected with a young, proven backup in all its stores', () => {
  expect(judgeProtection(facts(), NOW)).toEqual({
    level: 'protected',
    reasons: [],
  });
});

it.each<[string, Partial<ProtectionFacts>, string[]]>([
  ['no schedule', { isScheduled: false }, ['at-risk', 'no-schedule']],
  [
    'a store that the rule wants a copy in since',
    { stores: ['local', 'vault', 'far'] },
    ['at-risk', 'too-few-copies'],
  ],
  [
    'no backup',
    {
      lastBackup: undefined,
      recipients: [{ recipient: 'a', isProven: false }],
    },
    ['unprotected', 'never-backed-up'],
  ],
  [
    'a copy that a store lacks',
    {
      lastBackup: backup({
        copies: [copy('local', 'good'), copy('vault', 'missing')],
      }),
    },
    ['at-risk', 'copy-missing'],
  ],
  [
    'a damaged copy',
    {
      lastBackup: backup({
        copies: [copy('local', 'good'), copy('vault', 'damaged')],
      }),
    },
    ['at-risk', 'copy-damaged'],
  ],
  [
    'a copy that nobody has read',
    {
      lastBackup: backup({ copies: [copy('local', 'unknown')] }),
      stores: ['local'],
    },
    ['at-risk', 'copy-unread'],
  ],
  [
    'no good copy',
    {
      lastBackup: backup({
        copies: [copy('local', 'damaged'), copy('vault', 'missing')],
      }),
    },
    ['unprotected', 'no-good-copy'],
  ],
  ['an age at its limit', { maxAgeHours: 6 }, ['protected']],
  ['an old one', { maxAgeHours: 5.9 }, ['at-risk', 'backup-too-old']],
  [
    'one that expires soon',
    {
      lastBackup: backup({ createdAt: days(340) }),
      maxAgeHours: undefined,
    },
    ['at-risk', 'backup-expiring'],
  ],
  [
    'one that has expired',
    { lastBackup: backup({ createdAt: days(365) }) },
    ['unprotected', 'backup-expired', 'backup-too-old'],
  ],
  [
    'a failure after it',
    {
      recent: [
        operation('backup', 'cancelled'),
        operation('check', 'succeeded'),
        operation('backup', 'failed'),
        operation('backup', 'succeeded'),
      ],
    },
    ['at-risk', 'backup-failed'],
  ],
  [
    'a failure before it',
    {
      recent: [operation('backup', 'succeeded'), operation('backup', 'failed')],
    },
    ['protected'],
  ],
  [
    'a configuration that lacks something',
    { fault, recent: [operation('backup', 'failed')] },
    ['at-risk', 'cannot-be-backed-up'],
  ],
  [
    'reservations',
    {
      lastBackup: backup({
        reservations: [{ id: 'clock-skew', title: '', message: 'Clocks.' }],
      }),
    },
    ['at-risk', 'reservations'],
  ],
  [
    'an identity that nobody has shown',
    {
      recipients: [
        { recipient: 'age1', isProven: true },
        { recipient: 'age2', isProven: false },
      ],
    },
    ['at-risk', 'identity-unproven'],
  ],
  [
    'a look that failed',
    { lastCheck: operation('check', 'failed') },
    ['at-risk', 'check-failed'],
  ],
  [
    'machines that would refuse a restore',
    { lastCheck: check(['refusal disks disk-too-small']) },
    ['at-risk', 'not-restorable'],
  ],
  [
    'a look that found what a restore would stand',
    { lastCheck: check(['reservation clocks clock-skew']) },
    ['protected'],
  ],
  [
    'machines that refuse a restore of nothing',
    {
      lastBackup: undefined,
      lastCheck: check(['refusal disks disk-too-small']),
    },
    ['unprotected', 'never-backed-up'],
  ],
  [
    'a last backup that fits it no more',
    {
      lastCheck: check(['reservation archive-ssh-key archive-ssh-key-refused']),
    },
    ['at-risk', 'not-restorable'],
  ],
  [
    'a backup that was taken since one did not fit',
    {
      lastCheck: check(
        ['reservation archive-ssh-key archive-ssh-key-refused'],
        '2026-11-23T05:59:00.000Z',
      ),
    },
    ['protected'],
  ],
  [
    'a disk that was too small before the last backup',
    {
      lastCheck: check(
        ['refusal disks disk-too-small'],
        '2026-11-23T05:59:00.000Z',
      ),
    },
    ['at-risk', 'not-restorable'],
  ],
])('with %s it is', (_, more, expected) =>
  expect(judged(more)).toEqual(expected),
);

it('says what happened and the one thing to do', () => {
  const { reasons } = judgeProtection(
    facts({
      lastBackup: backup({
        copies: [copy('local', 'good'), copy('vault', 'missing')],
      }),
    }),
    NOW,
  );
  expect(reasons).toEqual([
    {
      code: 'copy-missing',
      level: 'at-risk',
      message:
        'There is no copy of the last backup in vault: Store vault is full.',
      remedy: 'It is made again from a good one, every hour until it works.',
    },
  ]);
});

it('says the first thing that stands against a restore, and how many there are', () => {
  const against = ['refusal disks disk-too-small', 'refusal kubelets down'];
  const reasonsOf = (findings: string[]) =>
    judgeProtection(facts({ lastCheck: check(findings) }), NOW).reasons;
  expect(reasonsOf(against.slice(0, 1))).toEqual([
    {
      code: 'not-restorable',
      level: 'at-risk',
      message:
        'A restore would not succeed as things are: It is so: disk-too-small.',
      remedy: 'Mend it.',
    },
  ]);
  expect(reasonsOf(against)).toEqual([
    expect.objectContaining({
      message:
        '2 things stand against a restore, the first: It is so: disk-too-small.',
    }),
  ]);
});
