import { RootConfigService } from '@backstage/backend-plugin-api';
import { configurationWrong } from '@cluster-backup/engine';
import { readSchedule, Schedule } from '../schedules/Schedule';

/** How a cluster is protected. */
export interface Protection {
  /** A restore takes the approval of a second person. */
  secondPerson: boolean;
  /** So old its last backup may be. */
  maxAgeHours?: number;
  /** When it is backed up by itself. */
  schedule?: Schedule;
}

type Section = ReturnType<RootConfigService['getConfig']>;

const UNPROTECTED: Protection = { secondPerson: false };
/** The engine reads the retention and the stores. */
const MEMBERS = [
  'secondPerson',
  'schedule',
  'maxAgeHours',
  'retention',
  'stores',
];

/**
 * The protection of each cluster, by its configured name: `clusterBackup.protection` is for all of them, and what a
 * cluster's own `protection` says overrides it.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function readProtection(
  config: RootConfigService,
): (name?: string) => Protection {
  const section = config.getOptionalConfig('clusterBackup');
  const standard = ruleOf(section, UNPROTECTED);
  const clusters = section?.getOptionalConfigArray('clusters') ?? [];
  const rules = new Map(
    clusters.map(cluster => [
      cluster.getOptionalString('name'),
      ruleOf(cluster, standard),
    ]),
  );
  return name => rules.get(name) ?? standard;
}

function ruleOf(of: Section | undefined, standard: Protection): Protection {
  const rule = of?.getOptionalConfig('protection');
  if (!rule) return standard;
  const unknown = rule.keys().find(key => !MEMBERS.includes(key));
  if (unknown !== undefined) {
    throw configurationWrong(
      'of the portal',
      `protection has ${unknown}, which nobody knows; it can have: ${MEMBERS.join(
        ', ',
      )}`,
    );
  }
  const maxAgeHours =
    rule.getOptionalNumber('maxAgeHours') ?? standard.maxAgeHours;
  if (maxAgeHours !== undefined && !(maxAgeHours > 0)) {
    throw configurationWrong(
      'of the portal',
      `protection.maxAgeHours ${maxAgeHours} is no number of hours`,
    );
  }
  return {
    secondPerson:
      rule.getOptionalBoolean('secondPerson') ?? standard.secondPerson,
    maxAgeHours,
    schedule:
      readSchedule(rule.getOptional('schedule'), why =>
        configurationWrong('of the portal', `protection.schedule: ${why}`),
      ) ?? standard.schedule,
  };
}

/**
 * Milliseconds that a request for a restore counts.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function requestsExpireAfter(config: RootConfigService): number {
  const hours =
    config.getOptionalNumber(
      'clusterBackup.restoreRequests.expireAfterHours',
    ) ?? 24;
  if (hours > 0) return hours * 3_600_000;
  throw configurationWrong(
    'of the portal',
    `restoreRequests.expireAfterHours ${hours} is no number of hours`,
  );
}
