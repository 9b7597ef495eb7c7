import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import { clusterBackupReadPermission } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupTranslationRef } from '../translation';

/** For those who may not see a cluster's backups: what to ask for. */
export function ReadDenied() {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Alert
      status="warning"
      icon
      title={t('denied.title')}
      description={t('denied.description', {
        permission: clusterBackupReadPermission.name,
      })}
    />
  );
}
