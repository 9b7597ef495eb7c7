import {
  Backup,
  ClusterRetention,
  RetainedBackup,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  RetainableBackup,
  retain,
  RetentionRule,
  RetentionVerdict,
} from '@cluster-backup/engine';
import { KeptRecord, RetentionRecords } from '../database/RetentionRecords';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';

/** For so long nothing has to keep a backup before it goes: time to see that a rule was changed for the worse. */
export const GRACE_MS = 24 * 60 * 60_000;

type Retainable = RetainableBackup & KeptRecord;

/** What becomes of each backup of a cluster, as of now. */
export interface Retained {
  at: Date;
  rule: RetentionRule;
  verdicts: Array<RetentionVerdict<Retainable>>;
}

/** Asks the rule about all backups of a cluster; changes nothing. */
export async function retentionOf(
  clusterRef: string,
  asked: { clusters: ConfiguredClusters; retention: RetentionRecords },
): Promise<Retained> {
  const { at, records } = await asked.retention.of(clusterRef);
  const rule = asked.clusters.retention(clusterRef);
  return { at, rule, verdicts: retain(records.map(retainable), rule, at) };
}

function retainable(record: KeptRecord): Retainable {
  const { id, createdAt, copies, hold, isBeforeRestore } = record.backup;
  const locks = copies.flatMap(({ lockedUntil }) =>
    lockedUntil ? [Date.parse(lockedUntil)] : [],
  );
  return {
    ...record,
    id,
    hold,
    isBeforeRestore,
    createdAt: new Date(createdAt),
    // A store that could not be asked is no witness.
    isVerified: copies.some(
      ({ state, verifiedAt }) => state === 'good' && verifiedAt !== undefined,
    ),
    isDrilled: false,
    lockedUntil: locks.length ? new Date(Math.max(...locks)) : undefined,
  };
}

/** The same, as the API tells it. */
export function toldRetention({
  at,
  rule,
  verdicts,
}: Retained): ClusterRetention {
  return {
    rule,
    backups: verdicts.map(verdict => toldVerdict(verdict, at)),
    foundCount: verdicts.filter(({ backup }) => backup.isFound).length,
  };
}

function toldVerdict(
  verdict: RetentionVerdict<Retainable>,
  at: Date,
): RetainedBackup {
  const { keptBy, ended, mayGoAt, expiresAt } = verdict;
  const { backup, goingSince } = verdict.backup;
  const from = keptBy.length ? mayGoAt : goingSince ?? at;
  return {
    id: backup.id,
    key: backup.key,
    createdAt: backup.createdAt,
    isBeforeRestore: backup.isBeforeRestore,
    keptBy: keptBy.map(keeper => ({
      by: keeper.by,
      ...('until' in keeper && { until: keeper.until.toISOString() }),
      ...('period' in keeper && { period: keeper.period }),
      ...('hold' in keeper && { hold: keeper.hold }),
    })),
    ended,
    goesAt: from && new Date(from.getTime() + GRACE_MS).toISOString(),
    expiresAt: expiresAt.toISOString(),
  };
}

/** Why a backup goes, in a sentence. */
export function whyGone(
  { createdAt }: Backup,
  ended: RetentionVerdict<RetainableBackup>['ended'],
  { expireAfterDays, keepReplacedDays }: RetentionRule,
): string {
  switch (ended) {
    case 'expired':
      return `It is of ${createdAt} and expired after ${expireAfterDays} days.`;
    case 'before-restore-over':
      return `It held what a restore replaced, which is kept for ${keepReplacedDays} days.`;
    default:
      return 'The rule keeps it no more: newer ones have taken its places.';
  }
}
