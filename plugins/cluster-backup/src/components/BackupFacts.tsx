import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { EntityRefLink } from '@backstage/plugin-catalog-react';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatBytes } from '../format/bytes';
import { formatAge, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { Copies } from './Copies';
import { Facts } from './Facts';
import { Who } from './Who';

/** Everything known about a backup but its reservations. */
export function BackupFacts(props: {
  backup: Backup;
  expireAfterDays: number;
}) {
  const { backup, expireAfterDays } = props;
  const { gdc } = backup;
  const expiresAt = expiryOf(backup, expireAfterDays);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Facts
      facts={[
        [
          t('backup.createdAt'),
          `${formatTime(backup.createdAt)} (${formatAge(backup.createdAt)})`,
        ],
        [
          t('backup.expiresAt'),
          `${formatTime(expiresAt)} (${formatAge(expiresAt)})`,
        ],
        ...fact(t('backup.type'), gdc?.type),
        ...fact(t('backup.managedBy'), gdc?.managedBy),
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
          ? [t('backup.requestedBy'), <WhoAsked by={backup.requestedBy} />]
          : [t('backup.foundAt'), formatTime(backup.foundAt!)],
      ]}
    />
  );
}

function WhoAsked(props: { by: string }) {
  const { by } = props;
  return by.startsWith('plugin:') ? (
    <Who entityRef={by} />
  ) : (
    <EntityRefLink entityRef={by} defaultKind="user" />
  );
}

function fact(name: string, value?: string): [string, string][] {
  return value ? [[name, value]] : [];
}

const A_DAY_MS = 24 * 3_600_000;

/** From when on a backup is not restored any more; ISO 8601. */
export function expiryOf({ createdAt }: Backup, expireAfterDays: number) {
  const at = Date.parse(createdAt) + expireAfterDays * A_DAY_MS;
  return new Date(at).toISOString();
}

/** The versions that are known, under the names of their messages. */
export function versionsOf({ versions }: Backup) {
  return [
    ...(versions.kubernetes
      ? ([['kubernetes', versions.kubernetes]] as const)
      : []),
    ['etcd', versions.etcd] as const,
    ...(versions.gdc ? ([['gdc', versions.gdc]] as const) : []),
  ];
}
