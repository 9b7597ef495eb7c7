import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { ClusterBackupError, NOTHING_CHANGED } from '@cluster-backup/engine';

/**
 * Refuses that a person approves what they asked for themselves.
 *
 * @throws ClusterBackupError `approver-is-requester`
 */
export function refuseSamePerson(
  { requestedBy }: { requestedBy: string },
  by: string,
) {
  if (!isSame(requestedBy, by)) return;
  throw new ClusterBackupError({
    code: 'approver-is-requester',
    message: 'You requested this restore: another person has to approve it.',
    state: NOTHING_CHANGED,
    remedy:
      'Ask another owner of the cluster. In an emergency those who are configured for it may approve alone.',
  });
}

/**
 * Refuses that a person starts or takes back what another one asked for.
 *
 * @throws ClusterBackupError `requester-needed`
 */
export function refuseOtherPerson(
  { requestedBy }: { requestedBy: string },
  by: string,
) {
  if (isSame(requestedBy, by)) return;
  throw new ClusterBackupError({
    code: 'requester-needed',
    message: `Only ${requestedBy}, who requested this restore, may do this.`,
    state: NOTHING_CHANGED,
    remedy: 'Ask them, or request the restore yourself.',
  });
}

function isSame(one: string, other: string): boolean {
  return normalized(one) === normalized(other);
}

function normalized(ref: string): string {
  const full = parseEntityRef(ref, { defaultKind: 'user' });
  return stringifyEntityRef(full).toLocaleLowerCase('en-US');
}
