import { RequestedRestore } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** A restore that waits for a second person; the check that belongs to it has ended. */
export function aRestoreRequest(
  request: Partial<RequestedRestore> = {},
): RequestedRestore {
  return {
    id: 'request-1',
    clusterRef: 'resource:default/production',
    backupId: 'backup-1',
    status: 'pending',
    requestedBy: 'user:default/ada',
    requestedAt: '2026-11-22T10:00:00.000Z',
    expiresAt: '2026-11-23T10:00:00.000Z',
    reason: 'A namespace was deleted.',
    archive: {
      key: 'default/production/abababab/production_backup_2026-11-22.tar.gz.age',
      createdAt: '2026-11-22T08:00:00.000Z',
      sha256: 'ab'.repeat(32),
    },
    target: {
      name: 'production',
      layout: 'kubeadm',
      machines: ['cp-1', 'cp-2', 'cp-3'].map((name, index) => ({
        name,
        role: 'control-plane',
        login: `root@10.0.0.1${index + 1}:22`,
        hostKeys: ['SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8'],
      })),
    },
    check: { id: 'check-1', status: 'succeeded', findings: [] },
    ...request,
  };
}
