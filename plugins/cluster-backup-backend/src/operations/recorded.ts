import { RestoreDecision } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Decision } from '@cluster-backup/engine';

/** A decision as the portal keeps and shows it. */
export function recorded({ what, reason }: Decision): RestoreDecision {
  const { text, by, approvedBy } = reason;
  return { what, reason: text, by, approvedBy };
}
