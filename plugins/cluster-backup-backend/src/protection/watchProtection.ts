import {
  AuthService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { ClusterProtection } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { KnownProtection } from '../database/KnownProtection';
import { OperationStore } from '../database/OperationStore';
import { RecipientProofs } from '../database/RecipientProofs';
import { ConfiguredClusters } from '../operations/ConfiguredClusters';
import { NotifyOwners } from '../operations/notifyOwners';
import { Protection } from '../operations/protection';
import { changeOf, codesOf, ProtectionChange } from './changeOf';
import {
  isOfOlderBackup,
  judgeProtection,
  ProtectionFacts,
} from './judgeProtection';

interface Watching {
  auth: AuthService;
  catalog: CatalogService;
  logger: LoggerService;
  clusters: ConfiguredClusters;
  operations: OperationStore;
  backups: BackupRecordStore;
  recipientProofs: RecipientProofs;
  protectionOf: (clusterName?: string) => Protection;
  known: KnownProtection;
  notifyOwners: NotifyOwners;
}

/** The last attempt at a backup is among them. */
const RECENT = 20;

/** Judges all clusters every few minutes, in one of the replicas, and tells their owners when something changed. */
export async function watchProtection(
  watching: Watching & { scheduler: SchedulerService },
): Promise<void> {
  await watching.scheduler.scheduleTask({
    id: 'cluster-backup-watch-protection',
    frequency: { minutes: 10 },
    initialDelay: { minutes: 3 },
    timeout: { minutes: 10 },
    fn: signal => lookAtProtection(watching, signal),
  });
}

export async function lookAtProtection(
  watching: Watching,
  signal: AbortSignal,
): Promise<void> {
  for (const clusterRef of watching.clusters.clusterRefs) {
    if (signal.aborted) return;
    await lookAt(clusterRef, watching).catch(error =>
      watching.logger.warn('The protection of a cluster was not judged', {
        clusterRef,
        cause: String(error),
      }),
    );
  }
}

/** Who sees a cluster for the first time tells nobody: nothing has changed. */
async function lookAt(clusterRef: string, watching: Watching): Promise<void> {
  const { known, catalog, auth, notifyOwners } = watching;
  const facts = await factsOf(clusterRef, watching);
  const judged = judgeProtection(facts);
  const before = await known.of(clusterRef);
  const change = before && changeOf(before, judged);
  if (before && !change) {
    await known.confirm(clusterRef);
    return;
  }
  if (change) {
    const credentials = await auth.getOwnServiceCredentials();
    const entity = await catalog.getEntityByRef(clusterRef, { credentials });
    if (!entity) return;
    await notifyOwners(entity, {
      ...noticeOf(clusterRef, judged, change),
      topic: 'cluster-backup-protection',
      except: actorOf(facts, change),
    });
  }
  // Told twice is better than never; it takes the place of what was told before.
  const { level, reasons } = judged;
  await known.record(clusterRef, { level, codes: codesOf(reasons) });
}

async function factsOf(
  clusterRef: string,
  watching: Watching,
): Promise<ProtectionFacts> {
  const { clusters, backups, operations, recipientProofs } = watching;
  const [lastBackup, lastCheck, recent, recipients] = await Promise.all([
    backups.last(clusterRef),
    operations.lastCheck(clusterRef),
    operations.recent(clusterRef, RECENT),
    recipientProofs.of(clusters.recipients),
  ]);
  const name = clusters.name(clusterRef);
  const { maxAgeHours, schedule } = watching.protectionOf(name);
  return {
    ...{ lastBackup, lastCheck, recent, recipients, maxAgeHours },
    isScheduled: schedule !== undefined,
    stores: clusters.rightStores(clusterRef),
    fault: clusters.whyNoBackup(clusterRef),
    expireAfterDays: clusters.expireAfterDays,
  };
}

function noticeOf(
  clusterRef: string,
  { level, reasons }: ClusterProtection,
  { isWorse, added }: ProtectionChange,
) {
  const told = isWorse
    ? reasons.filter(({ code }) => added.includes(code))
    : reasons;
  const words = told.map(({ message, remedy }) => `${message} ${remedy}`);
  const state = level === 'at-risk' ? 'at risk' : level;
  if (isWorse) {
    return {
      title: `${clusterRef} is ${state}`,
      description: words.join('\n'),
      severity: level === 'unprotected' ? 'high' : 'normal',
    } as const;
  }
  return {
    title: `${clusterRef} is ${
      level === 'protected' ? 'protected again' : `better, and still ${state}`
    }`,
    description: words.join('\n') || 'Its last backup is as it should be.',
    severity: 'low',
  } as const;
}

const OF_A_BACKUP = [
  'never-backed-up',
  'backup-failed',
  'backup-too-old',
  'backup-expiring',
  'backup-expired',
];

const OF_A_CHECK = ['not-restorable', 'check-failed'];

/** Whoever took the backup or asked for the check has seen what came of it. */
function actorOf(
  { recent, lastBackup, lastCheck }: ProtectionFacts,
  { isWorse, added, gone }: ProtectionChange,
): string | undefined {
  const isAll = (codes: string[]) => added.every(code => codes.includes(code));
  const isAnyGone = (codes: string[]) =>
    gone.some(code => codes.includes(code));
  if (isWorse) {
    if (isAll(OF_A_CHECK)) return lastCheck?.requestedBy;
    const last = recent.find(({ kind }) => kind === 'backup');
    return isAll(['backup-failed']) ? last?.requestedBy : undefined;
  }
  if (isAnyGone(OF_A_BACKUP)) return lastBackup?.requestedBy;
  if (!isAnyGone(OF_A_CHECK)) return undefined;
  const isOfCheck = !isOfOlderBackup(lastCheck, lastBackup);
  return isOfCheck ? lastCheck?.requestedBy : lastBackup?.requestedBy;
}
