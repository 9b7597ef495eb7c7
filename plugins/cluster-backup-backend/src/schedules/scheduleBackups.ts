import { LoggerService, SchedulerService } from '@backstage/backend-plugin-api';
import { ClusterSchedules, KnownSchedule } from '../database/ClusterSchedules';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { Protection } from '../operations/protection';
import { nextDue, Schedule, timesDue } from './Schedule';

interface Scheduling {
  clusters: ConfiguredClusters;
  schedules: ClusterSchedules;
  protectionOf: (clusterName?: string) => Protection;
  /** Something was queued. */
  wake: () => void;
  logger: LoggerService;
}

/** What is begun so much later than it was due is late, and its log says so. */
const LATE_MS = 5 * 60_000;
/** Of missed times no more are counted. */
const COUNTED = 1000;

/** Queues the backups that are due: each replica looks, and one of them has each. */
export async function scheduleBackups(
  scheduling: Scheduling & { scheduler: SchedulerService },
): Promise<void> {
  await scheduling.scheduler.scheduleTask({
    id: 'cluster-backup-schedule',
    scope: 'local',
    frequency: { seconds: 15 },
    timeout: { minutes: 5 },
    fn: signal => queueDue(scheduling, signal),
  });
}

/** One look at all clusters. */
export async function queueDue(
  scheduling: Scheduling,
  signal?: AbortSignal,
): Promise<void> {
  const { clusters, schedules, protectionOf, wake, logger } = scheduling;
  const { at, known } = await schedules.known();
  let queued = 0;
  for (const clusterRef of clusters.clusterRefs) {
    if (signal?.aborted) return;
    const { schedule } = protectionOf(clusters.name(clusterRef));
    const found = known.get(clusterRef);
    try {
      queued += Number(await lookAt({ clusterRef, schedule, found, at }));
    } catch (error) {
      logger.error(
        `The backup of ${clusterRef} that is due was not queued`,
        error as Error,
      );
    }
  }
  if (queued) wake();

  async function lookAt(look: {
    clusterRef: string;
    schedule?: Schedule;
    found?: KnownSchedule;
    at: Date;
  }): Promise<boolean> {
    const { clusterRef, schedule, found } = look;
    // What is known stays: another replica may have a newer configuration, with a schedule.
    if (!schedule) return false;
    const text = JSON.stringify(schedule);
    if (!found) {
      await schedules.begin(clusterRef, text);
      return false;
    }
    const isDue = found.dueAt <= look.at;
    if (!isDue && found.schedule === text) return false;
    const next = nextDue(schedule, clusterRef, look.at);
    if (!isDue) {
      const to = { schedule: text, dueAt: next };
      await schedules.change(clusterRef, found, to);
      return false;
    }
    return schedules.queueDue({
      clusterRef,
      from: found,
      next,
      slots: clusters.slots('backup', clusterRef),
      message:
        found.schedule === text
          ? dueMessage(clusterRef, found, schedule, look.at)
          : dueAt(found),
    });
  }
}

/** Says when it was due, and what was missed since. */
function dueMessage(
  clusterRef: string,
  known: KnownSchedule,
  schedule: Schedule,
  at: Date,
): string {
  const due = dueAt(known);
  if (at.getTime() - known.dueAt.getTime() < LATE_MS) return due;
  const missed = timesDue(schedule, clusterRef, {
    after: known.dueAt,
    until: at,
    most: COUNTED,
  });
  const late = `${due} No portal ran then: this makes up for it`;
  if (!missed) return `${late}.`;
  return `${late}, and for ${
    missed === COUNTED ? `${COUNTED} or more` : missed
  } later ${missed === 1 ? 'time' : 'times'} that ${
    missed === 1 ? 'was' : 'were'
  } missed as well.`;
}

function dueAt(known: KnownSchedule): string {
  return `Due at ${known.dueAt.toISOString()}.`;
}
