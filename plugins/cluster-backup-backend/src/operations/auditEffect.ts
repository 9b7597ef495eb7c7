import { AuditorService } from '@backstage/backend-plugin-api';

/** Tells the audit of something that the portal did by itself. */
export async function auditEffect(
  auditor: AuditorService,
  eventId: 'kept-data-remove' | 'backup-found' | 'archive-sweep',
  meta: Record<string, string>,
): Promise<void> {
  const event = await auditor.createEvent({
    eventId,
    severityLevel: 'medium',
    meta,
  });
  await event.success();
}
