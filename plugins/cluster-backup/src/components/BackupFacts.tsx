import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { EntityRefLink } from '@backstage/plugin-catalog-react';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatBytes } from '../format/bytes';
import { formatAge, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { Copies } from './Copies';
import { Facts } from './Facts';

/** Everything known about a backup but its reservations. */
export function BackupFacts(props: { backup: Backup }) {
  const { backup } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Facts
      facts={[
        [
          t('backup.createdAt'),
          `${formatTime(backup.createdAt)} (${formatAge(backup.createdAt)})`,
        ],
        [t('backup.size'), formatBytes(backup.size)],
        [t('backup.snapshotSize'), formatBytes(backup.snapshotSize)],
        [t('backup.revision'), backup.revision.toLocaleString()],
        [
          t('backup.versions'),
          versionsOf(backup)
            .map(([key, version]) => t(`backups.${key}`, { version }))
            .join(', '),
        ],
        [t('backup.member'), backup.member],
        [t('backup.nodes'), backup.nodes.join(', ')],
        [t('backup.copies'), <Copies copies={backup.copies} />],
        [t('backup.key'), <code>{backup.key}</code>],
        [t('backup.sha256'), <code>{backup.sha256}</code>],
        [t('backup.signer'), <code>{backup.signer}</code>],
        backup.requestedBy
          ? [
              t('backup.requestedBy'),
              <EntityRefLink
                entityRef={backup.requestedBy}
                defaultKind="user"
              />,
            ]
          : [t('backup.foundAt'), formatTime(backup.foundAt!)],
      ]}
    />
  );
}

/** The versions that are known, under the names of their messages. */
export function versionsOf({ versions }: Backup) {
  return [
    ...(versions.kubernetes
      ? ([['kubernetes', versions.kubernetes]] as const)
      : []),
    ['etcd', versions.etcd] as const,
  ];
}
