import {
  AuditorService,
  AuthService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { CatalogService } from '@backstage/plugin-catalog-node';
import { NotificationService } from '@backstage/plugin-notifications-node';
import { ClusterOwners, UntoldChange } from '../database/ClusterOwners';
import { auditEffect } from '../operations/auditEffect';
import { notify } from '../operations/notifyOwners';
import { Ownership } from './Ownership';

interface Watching {
  catalog: CatalogService;
  auth: AuthService;
  auditor: AuditorService;
  notifications: NotificationService;
  logger: LoggerService;
  ownership: Ownership;
  record: ClusterOwners;
  /** The entities of the clusters that are configured. */
  clusterRefs: string[];
}

/** Looks at all owners every few minutes, in one of the replicas: a change is to be seen before somebody uses it. */
export async function watchOwners(
  options: Watching & { scheduler: SchedulerService },
): Promise<void> {
  await options.scheduler.scheduleTask({
    id: 'cluster-backup-watch-owners',
    frequency: { minutes: 5 },
    initialDelay: { seconds: 20 },
    timeout: { minutes: 5 },
    fn: () => lookAtOwners(options),
  });
}

/** Sees who owns the clusters now, and tells of changes that nobody was told of. */
export async function lookAtOwners(options: Watching): Promise<void> {
  const { catalog, auth, ownership, record, clusterRefs } = options;
  const credentials = await auth.getOwnServiceCredentials();
  const { items } = await catalog.getEntitiesByRefs(
    { entityRefs: clusterRefs.filter(ref => !ownership.isPinned(ref)) },
    { credentials },
  );
  for (const entity of items) {
    if (entity) await ownership.of(entity);
  }
  for (const change of await record.untold()) {
    await tell(change, options);
    // Told twice is better than never.
    await record.told(change);
  }
}

async function tell(change: UntoldChange, options: Watching) {
  const { clusterRef, from, to, countsFrom } = change;
  const meta = {
    clusterRef,
    from: from.join(' '),
    to: to.join(' '),
    countsFrom,
  };
  await auditEffect(options.auditor, 'owner-change', meta, 'high');
  await notify(options, from, {
    title: `The owner of ${clusterRef} was changed in the catalog`,
    description: `Now it is ${
      to.join(' and ') || 'nobody'
    }. Until ${countsFrom} you alone may restore it, approve that, open its backups and say which are kept. If the change is wrong, take it back in the catalog before then.`,
    severity: 'high',
    topic: 'cluster-backup-owner',
    scope: clusterRef,
  });
}
