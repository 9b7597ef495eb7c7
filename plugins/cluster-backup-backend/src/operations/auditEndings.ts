import {
  AuditorService,
  LoggerService,
  SchedulerService,
} from '@backstage/backend-plugin-api';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { OperationStore } from '../database/OperationStore';

const SEVERITY = {
  check: 'low',
  verify: 'low',
  backup: 'medium',
  restore: 'high',
} as const;
const FAILED: Operation['status'][] = ['failed', 'interrupted'];
/** What one look tells at most: it comes again soon. */
const AT_ONCE = 100;

interface Auditing {
  auditor: AuditorService;
  operations: OperationStore;
}

/** Tells the audit how operations ended, whichever replica ran them, in one replica at a time. */
export async function auditEndings(
  options: Auditing & { scheduler: SchedulerService; logger: LoggerService },
): Promise<void> {
  await options.scheduler.scheduleTask({
    id: 'cluster-backup-audit-endings',
    frequency: { seconds: 10 },
    initialDelay: { seconds: 5 },
    timeout: { minutes: 1 },
    fn: signal => tellEndings(options, signal),
  });
}

/** An end that was told and not yet marked is told again when this process is killed in between: better than never. */
export async function tellEndings(
  { auditor, operations }: Auditing,
  signal?: AbortSignal,
): Promise<void> {
  for (const operation of await operations.unaudited(AT_ONCE)) {
    if (signal?.aborted) return;
    await tell(operation, auditor);
    await operations.audited(operation);
  }
}

async function tell(operation: Operation, auditor: AuditorService) {
  const { id, kind, status, clusterRef, requestedBy, fault } = operation;
  const { backupId, decision, startedAt, endedAt, attempt } = operation;
  const event = await auditor.createEvent({
    eventId: 'operation-end',
    severityLevel: SEVERITY[kind],
    meta: {
      operationId: id,
      kind,
      status,
      clusterRef,
      requestedBy,
      attempt,
      ...(backupId && { backupId }),
      ...(startedAt && { startedAt }),
      ...(endedAt && { endedAt }),
      ...(decision && { decision: { ...decision } }),
      ...(fault && { code: fault.code }),
    },
  });
  if (!FAILED.includes(status)) await event.success();
  else await event.fail({ error: new Error(fault?.message ?? status) });
}
