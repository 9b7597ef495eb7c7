import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { IdentityField } from './IdentityField';

/** Goes on with an interrupted restore. */
export function ResumeDialog(props: {
  operation: Operation;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { operation, clusterName: cluster } = props;
  const { id, backupId } = operation;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const keyedBackup = operation.needsKey ? backupId : undefined;

  const resume = async () => {
    if (keyedBackup === undefined) {
      return api.resumeRestore(id, {});
    }
    const fileKey = await identity.open(keyedBackup);
    return fileKey && api.resumeRestore(id, { fileKey });
  };

  return (
    <ActionDialog
      title={t('resume.title', { cluster })}
      submitLabel={t('resume.submit')}
      isComplete={
        keyedBackup === undefined || identity.field.value.trim() !== ''
      }
      onSubmit={async () => (await resume()) || undefined}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('resume.description')}</Text>
          {keyedBackup !== undefined && (
            <>
              <Text>{t('interrupted.needsKey')}</Text>
              <IdentityField {...identity.field} isDisabled={isBusy} />
            </>
          )}
        </>
      )}
    </ActionDialog>
  );
}
