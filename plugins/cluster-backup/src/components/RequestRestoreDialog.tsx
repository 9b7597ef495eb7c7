import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import {
  Backup,
  ClusterOverview,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { useRestoreChoices } from '../operations/useRestoreChoices';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ReasonField } from './ReasonField';
import { RestoreChoicesFields } from './RestoreChoicesFields';
import { RestoreConsequences } from './RestoreConsequences';

/** Asks a second person to approve a restore. No key is asked for yet. */
export function RequestRestoreDialog(props: {
  backup: Backup;
  clusterName: string;
  overview: ClusterOverview;
  /** Why the person may not start a backup. */
  reasonAgainstBackup?: string;
  onBackUpSurvivor(): void;
  onRequested(): void;
  onClose(): void;
}) {
  const { backup, clusterName: cluster } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { choices, reason, fields } = useRestoreChoices();

  return (
    <ActionDialog
      title={t('request.title', { cluster })}
      submitLabel={t('request.submit')}
      isComplete={reason !== ''}
      busyLabel={t('request.sending')}
      onSubmit={() =>
        api.requestRestore(backup.clusterRef, {
          backupId: backup.id,
          reason,
          ...choices,
        })
      }
      onStarted={props.onRequested}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Alert
            status="info"
            icon
            title={t('request.secondPerson')}
            description={t('request.description')}
          />
          <RestoreConsequences {...props} />
          <RestoreChoicesFields fields={fields} isDisabled={isBusy} />
          <ReasonField
            label={t('reason.ofRestore')}
            value={fields.text}
            onChange={fields.setReason}
            isRequired
            isDisabled={isBusy}
          />
        </>
      )}
    </ActionDialog>
  );
}
