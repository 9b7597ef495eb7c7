import { AuditorService } from '@backstage/backend-plugin-api';

/** Tells the audit of something that no request asked for. */
export async function auditEffect(
  auditor: AuditorService,
  eventId:
    | 'kept-data-remove'
    | 'backup-found'
    | 'backup-remove'
    | 'archive-sweep'
    | 'restore-found'
    | 'owner-change',
  meta: Record<string, string>,
  severityLevel: 'medium' | 'high' = 'medium',
): Promise<void> {
  const event = await auditor.createEvent({
    eventId,
    severityLevel,
    meta,
  });
  await event.success();
}
