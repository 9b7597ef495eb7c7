import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';

/** A backup of `resource:default/production`. */
export function aBackup(overrides: Partial<Backup> = {}): Backup {
  const createdAt = overrides.createdAt ?? '2026-11-20T08:30:00.000Z';
  return {
    id: 'backup-1',
    clusterRef: 'resource:default/production',
    copies: [{ store: 'local', state: 'good', checkedAt: createdAt }],
    key: `production_backup_${createdAt
      .replace(/\D/g, '')
      .slice(0, 14)}.tar.gz.age`,
    createdAt,
    isEncrypted: true,
    isBeforeRestore: false,
    size: 415_236_096,
    snapshotSize: 1_073_741_856,
    revision: 8_123_456,
    member: 'cp-2',
    versions: { kubernetes: 'v1.33.4', etcd: '3.5.21' },
    nodes: ['cp-1', 'cp-2', 'cp-3'],
    sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    signer: 'SHA256:uNiVztksCsDhcc0u9e8BrrJXVGdsPZhPkIXoLZfPvjY',
    reservations: [],
    requestedBy: 'user:default/ada',
    operationId: 'operation-0',
    ...overrides,
  };
}
