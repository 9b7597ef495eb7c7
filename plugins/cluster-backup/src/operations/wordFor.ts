import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** Under which name what is said about an operation's status is found. A check that is done may have found refusals. */
export function wordFor(operation: Operation) {
  const { kind, status, undoing } = operation;
  if (kind === 'check' && status === 'succeeded') {
    return 'operation.status.done';
  }
  if (undoing && status === 'running') {
    return 'operation.status.undoing';
  }
  return `operation.status.${status}` as const;
}
