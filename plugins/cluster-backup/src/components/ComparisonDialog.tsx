import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import {
  Backup,
  DifferingObject,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatTime } from '../format/time';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { IdentityField } from './IdentityField';
import { PutBackDialog } from './PutBackDialog';

/** Opens an archive to see what is not as it is in it, and lets a person put single Secrets back. */
export function ComparisonDialog(props: { backup: Backup; onClose(): void }) {
  const { backup, onClose } = props;
  const { id, isEncrypted, createdAt } = backup;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const [compared, setCompared] = useState<{
    differing: DifferingObject[];
    fileKey?: string;
  }>();

  if (compared) {
    return <PutBackDialog backup={backup} {...compared} onClose={onClose} />;
  }
  const compare = async () => {
    const fileKey = isEncrypted ? await identity.open(id) : undefined;
    if (isEncrypted && fileKey === undefined) return undefined;
    const { differing } = await api.compareObjects(id, { fileKey });
    return { differing, fileKey };
  };
  return (
    <ActionDialog
      title={t('compare.title', { time: formatTime(createdAt) })}
      submitLabel={t('compare.submit')}
      isComplete={!isEncrypted || identity.field.value.trim() !== ''}
      busyLabel={t('compare.reading')}
      onSubmit={compare}
      onStarted={setCompared}
      onClose={onClose}
    >
      {isBusy => (
        <>
          <Text>{t('compare.description')}</Text>
          {isEncrypted && (
            <IdentityField {...identity.field} isDisabled={isBusy} />
          )}
        </>
      )}
    </ActionDialog>
  );
}
