import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { EntityRefLinks } from '@backstage/plugin-catalog-react';
import { Alert } from '@backstage/ui';
import { ClusterOwnership } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';

/** That the catalog names other owners than those who count yet. */
export function OwnerChange(props: {
  owners: string[];
  next: NonNullable<ClusterOwnership['next']>;
}) {
  const { owners, next } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const links = (refs: string[]) =>
    refs.length ? (
      <EntityRefLinks entityRefs={refs} defaultKind="group" />
    ) : (
      t('ownerChange.nobody')
    );
  return (
    <Alert
      role="status"
      status="warning"
      icon
      title={t('ownerChange.title')}
      description={
        <>
          {t('ownerChange.next', { since: formatTime(next.since) })}{' '}
          {links(next.owners)}. {t('ownerChange.before')} {links(owners)}{' '}
          {t('ownerChange.until', { time: formatTime(next.countsFrom) })}
        </>
      }
    />
  );
}
