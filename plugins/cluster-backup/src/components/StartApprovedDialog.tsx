import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import {
  Operation,
  RequestedRestore,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatTime } from '../format/time';
import { useFileKey } from '../identity/useFileKey';
import { useBackup } from '../operations/useBackup';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ConfirmationFields } from './ConfirmationFields';

/** Starts a restore that was approved: the key comes last. */
export function StartApprovedDialog(props: {
  request: RequestedRestore;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { request, clusterName: cluster } = props;
  const { id, backupId, clusterRef, archive } = request;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const { backup } = useBackup(backupId);
  const [confirmation, setConfirmation] = useState('');
  const isEncrypted = backup?.isEncrypted ?? true;
  const isOpenable = !isEncrypted || identity.field.value.trim() !== '';

  const start = async () => {
    const fileKey = isEncrypted ? await identity.open(backupId) : undefined;
    if (isEncrypted && fileKey === undefined) return undefined;
    return api.startRestore(clusterRef, {
      requestId: id,
      confirmation,
      fileKey,
    });
  };

  return (
    <ActionDialog
      title={t('restore.title', { cluster })}
      submitLabel={t('restore.submit', { cluster })}
      destructive
      isComplete={confirmation === cluster && isOpenable}
      busyLabel={t('restore.sending')}
      onSubmit={start}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>
            {t('request.start', { time: formatTime(archive.createdAt) })}
          </Text>
          <ConfirmationFields
            isEncrypted={isEncrypted}
            identity={identity.field}
            clusterName={cluster}
            confirmation={confirmation}
            onConfirm={setConfirmation}
            isDisabled={isBusy}
          />
        </>
      )}
    </ActionDialog>
  );
}
