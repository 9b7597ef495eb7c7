import {
  Backup,
  BackupCopy,
  ClusterProtection,
  Fault,
  Operation,
  ProtectionReason,
  RecipientProof,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { isAgainstRestore, isOfLastBackup } from '@cluster-backup/engine';

/** What is known of a cluster when its protection is judged. */
export interface ProtectionFacts {
  /** Why it cannot be backed up, when it cannot. */
  fault?: Fault;
  /** The last one but those of what a restore replaced. */
  lastBackup?: Backup;
  /** Newest first. */
  recent: Operation[];
  /** The last one that succeeded or failed. */
  lastCheck?: Operation;
  recipients: RecipientProof[];
  /** Of the rule: the last backup may be so old. */
  maxAgeHours?: number;
  /** It is backed up by itself. */
  isScheduled: boolean;
  /** Of the rule: these are to have a copy. */
  stores: string[];
  expireAfterDays: number;
}

const HOUR_MS = 3_600_000;
/** Time enough to find out why no newer backup is there. */
const EXPIRING_DAYS = 30;

type Judge = (facts: ProtectionFacts, now: number) => ProtectionReason[];

const LEVELS = ['unprotected', 'at-risk'] as const;

const beginning: Judge = ({ lastBackup }) => {
  if (lastBackup) return [];
  return [
    {
      code: 'never-backed-up',
      level: 'unprotected',
      message:
        'There is no backup of it: if its control plane is lost, everything in it is lost.',
      remedy: 'Take a first backup now.',
    },
  ];
};

const rule: Judge = ({ isScheduled }) =>
  isScheduled
    ? []
    : [
        {
          code: 'no-schedule',
          level: 'at-risk',
          message: 'Nothing backs it up by itself: its rule has no schedule.',
          remedy:
            'Let a person who operates the portal set clusterBackup.protection.schedule.',
        },
      ];

const copies: Judge = ({ lastBackup }) => {
  if (!lastBackup) return [];
  const { length: all } = lastBackup.copies;
  const bad = lastBackup.copies.filter(({ state }) =>
    ['missing', 'damaged'].includes(state),
  );
  if (all && bad.length === all) {
    return [
      {
        code: 'no-good-copy',
        level: 'unprotected',
        message:
          'No copy of the last backup is good: it cannot be restored as things are.',
        remedy: 'Take a backup now, and find out what happened to the stores.',
      },
    ];
  }
  return lastBackup.copies
    .filter(({ state }) => state !== 'good')
    .map(doubtful);
};

function doubtful({ store, state, fault }: BackupCopy): ProtectionReason {
  const because = fault ? `: ${fault.message}` : '.';
  const level = 'at-risk';
  switch (state) {
    case 'damaged':
      return {
        code: 'copy-damaged',
        level,
        message: `The copy of the last backup in ${store} is damaged${because}`,
        remedy: `Find out what altered it in ${store}, and take a backup.`,
      };
    case 'missing':
      return {
        code: 'copy-missing',
        level,
        message: `There is no copy of the last backup in ${store}${because}`,
        remedy: 'It is made again from a good one, every hour until it works.',
      };
    default:
      return {
        code: 'copy-unread',
        level,
        message: `The copy of the last backup in ${store} was not read${because}`,
        remedy: 'Verify the backup.',
      };
  }
}

const places: Judge = ({ lastBackup, stores }) => {
  if (!lastBackup) return [];
  const without = stores.filter(
    id => !lastBackup.copies.some(({ store }) => store === id),
  );
  if (!without.length) return [];
  return [
    {
      code: 'too-few-copies',
      level: 'at-risk',
      message: `The rule wants a copy of the last backup in ${without.join(
        ', ',
      )} too, where there was none.`,
      remedy: 'Verify the backup: what is missing is copied.',
    },
  ];
};

const failure: Judge = ({ recent, fault }) => {
  if (fault) {
    const { message, remedy } = fault;
    const code = 'cannot-be-backed-up';
    return [{ code, level: 'at-risk', message, remedy }];
  }
  const last = recent.find(
    ({ kind, status }) =>
      kind === 'backup' && ['succeeded', 'failed'].includes(status),
  );
  if (last?.status !== 'failed') return [];
  return [
    {
      code: 'backup-failed',
      level: 'at-risk',
      message: `The last attempt at a backup failed: ${last.fault?.message}`,
      remedy: last.fault?.remedy ?? 'Look at its log, and back up again.',
    },
  ];
};

const reservations: Judge = ({ lastBackup }) => {
  const count = lastBackup?.reservations.length ?? 0;
  if (!count) return [];
  const [{ message }] = lastBackup!.reservations;
  return [
    {
      code: 'reservations',
      level: 'at-risk',
      message:
        count === 1
          ? `The last backup has a reservation: ${message}`
          : `The last backup has ${count} reservations, the first: ${message}`,
      remedy: 'Look at what each says, mend it, and back up again.',
    },
  ];
};

/** Of what a look found, what stands against bringing the cluster back from its last backup. */
const readiness: Judge = ({ lastCheck, lastBackup }) => {
  if (!lastCheck) return [];
  if (lastCheck.status === 'failed') {
    return [
      {
        code: 'check-failed',
        level: 'at-risk',
        message: `Whether it could be restored was not found out: ${lastCheck.fault?.message}`,
        remedy: lastCheck.fault?.remedy ?? 'Look at its log, and check again.',
      },
    ];
  }
  if (!lastBackup) return [];
  const isOfOlder = isOfOlderBackup(lastCheck, lastBackup);
  const against = (lastCheck.findings ?? []).filter(
    finding =>
      isAgainstRestore(finding) && !(isOfOlder && isOfLastBackup(finding)),
  );
  const [first] = against;
  if (!first) return [];
  return [
    {
      code: 'not-restorable',
      level: 'at-risk',
      message:
        against.length === 1
          ? `A restore would not succeed as things are: ${first.message}`
          : `${against.length} things stand against a restore, the first: ${first.message}`,
      remedy: first.remedy,
    },
  ];
};

/** Whether a backup was taken since a check began, so that this looked at the one before. */
export function isOfOlderBackup(
  check: Operation | undefined,
  lastBackup: Backup | undefined,
): boolean {
  if (!check?.startedAt || !lastBackup) return false;
  return Date.parse(lastBackup.createdAt) > Date.parse(check.startedAt);
}

const identities: Judge = ({ lastBackup, recipients }) => {
  const proven = recipients.filter(({ isProven }) => isProven).length;
  if (!lastBackup || proven === recipients.length) return [];
  return [
    {
      code: 'identity-unproven',
      level: 'at-risk',
      message: proven
        ? 'Not every recipient of these backups was proven within a year.'
        : 'Nobody has shown within a year that these backups can be opened: a lost identity is found out too late.',
      remedy: 'Let whoever keeps the identity prove it.',
    },
  ];
};

const age: Judge = ({ lastBackup, maxAgeHours, expireAfterDays }, now) => {
  if (!lastBackup) return [];
  const hours = (now - Date.parse(lastBackup.createdAt)) / HOUR_MS;
  if (maxAgeHours === undefined || hours <= maxAgeHours) {
    return expiry(expireAfterDays - hours / 24);
  }
  return [
    {
      code: 'backup-too-old',
      level: 'at-risk',
      message: `The last backup is ${Math.floor(
        hours,
      )} hours old, where ${maxAgeHours} are allowed.`,
      remedy: 'Take a backup now, and find out why there was none.',
    },
    ...expiry(expireAfterDays - hours / 24),
  ];
};

function expiry(daysLeft: number): ProtectionReason[] {
  if (daysLeft > EXPIRING_DAYS) return [];
  const isOver = daysLeft <= 0;
  return [
    {
      code: isOver ? 'backup-expired' : 'backup-expiring',
      level: isOver ? 'unprotected' : 'at-risk',
      message: isOver
        ? 'The last backup has expired: it is not restored any more.'
        : `The last backup expires in ${Math.ceil(daysLeft)} days.`,
      remedy: 'Take a backup now.',
    },
  ];
}

const JUDGES = [
  beginning,
  copies,
  places,
  failure,
  age,
  readiness,
  rule,
  reservations,
  identities,
];

/**
 * Whether a cluster could be brought back from its backups, and what makes that doubtful: the worst first, each with the
 * one thing to do about it.
 */
export function judgeProtection(
  facts: ProtectionFacts,
  now: Date = new Date(),
): ClusterProtection {
  const found = JUDGES.flatMap(judge => judge(facts, now.getTime()));
  const reasons = LEVELS.flatMap(level =>
    found.filter(reason => reason.level === level),
  );
  return { level: reasons[0]?.level ?? 'protected', reasons };
}
