import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text, TextAreaField } from '@backstage/ui';
import {
  Backup,
  KeptBackup,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';

const MOST = 500;

/** Asks why a backup is to be kept. */
export function HoldDialog(props: {
  backup: Backup;
  onHeld(kept: KeptBackup): void;
  onClose(): void;
}) {
  const { id, createdAt } = props.backup;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [text, setText] = useState('');
  const reason = text.trim();

  return (
    <ActionDialog
      title={t('hold.title', { time: formatTime(createdAt) })}
      submitLabel={t('hold.submit')}
      isComplete={reason !== ''}
      onSubmit={() => api.holdBackup(id, { reason })}
      onStarted={props.onHeld}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('hold.description')}</Text>
          <TextAreaField
            label={t('hold.reason')}
            description={t('hold.reasonDescription')}
            value={text}
            onChange={setText}
            maxLength={MOST}
            isRequired
            isDisabled={isBusy}
          />
        </>
      )}
    </ActionDialog>
  );
}
