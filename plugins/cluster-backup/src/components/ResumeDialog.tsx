import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { useInterruptedKey } from '../identity/useInterruptedKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { InterruptedKeyField } from './InterruptedKeyField';

/** Goes on with an interrupted restore. */
export function ResumeDialog(props: {
  operation: Operation;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { operation, clusterName: cluster } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const archiveKey = useInterruptedKey(operation, { isArchiveRead: true });

  return (
    <ActionDialog
      title={t('resume.title', { cluster })}
      submitLabel={t('resume.submit')}
      isComplete={archiveKey.isComplete}
      onSubmit={async () => {
        const opened = await archiveKey.open();
        return opened && api.resumeRestore(operation.id, opened);
      }}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('resume.description')}</Text>
          <InterruptedKeyField archiveKey={archiveKey} isDisabled={isBusy} />
        </>
      )}
    </ActionDialog>
  );
}
