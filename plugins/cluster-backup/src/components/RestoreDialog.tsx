import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Backup,
  ClusterOverview,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { useFileKey } from '../identity/useFileKey';
import { useRestoreChoices } from '../operations/useRestoreChoices';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ConfirmationFields } from './ConfirmationFields';
import { ReasonField } from './ReasonField';
import { RestoreChoicesFields } from './RestoreChoicesFields';
import { RestoreConsequences } from './RestoreConsequences';

/** Puts a backup back, after a person has read what that means and typed the cluster's name. */
export function RestoreDialog(props: {
  backup: Backup;
  clusterName: string;
  overview: ClusterOverview;
  /** Why the person may not start a backup. */
  reasonAgainstBackup?: string;
  onBackUpSurvivor(): void;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { backup, clusterName: cluster } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const [confirmation, setConfirmation] = useState('');
  const { choices, hasAny, reason, fields } = useRestoreChoices();
  const [isSending, setSending] = useState(false);
  const { isEncrypted } = backup;
  const isOpenable = !isEncrypted || identity.field.value.trim() !== '';
  const isReasoned = !hasAny || reason !== '';

  const restore = async () => {
    setSending(false);
    const fileKey = isEncrypted ? await identity.open(backup.id) : undefined;
    if (isEncrypted && fileKey === undefined) {
      return undefined;
    }
    setSending(true);
    return api.startRestore(backup.clusterRef, {
      backupId: backup.id,
      confirmation,
      fileKey,
      ...choices,
      ...(hasAny && { reason }),
    });
  };

  return (
    <ActionDialog
      title={t('restore.title', { cluster })}
      submitLabel={t('restore.submit', { cluster })}
      destructive
      isComplete={confirmation === cluster && isOpenable && isReasoned}
      busyLabel={t(isSending ? 'restore.sending' : 'restore.opening')}
      onSubmit={restore}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <RestoreConsequences {...props} />
          <RestoreChoicesFields fields={fields} isDisabled={isBusy} />
          {hasAny && (
            <ReasonField
              label={t('reason.ofChoices')}
              value={fields.text}
              onChange={fields.setReason}
              isRequired
              isDisabled={isBusy}
            />
          )}
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
