import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { useInterruptedKey } from '../identity/useInterruptedKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { InterruptedKeyField } from './InterruptedKeyField';

/** Takes an interrupted restore back. */
export function UndoDialog(props: {
  operation: Operation;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { operation } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const archiveKey = useInterruptedKey(operation, { isArchiveRead: false });

  return (
    <ActionDialog
      title={t('undo.title', { cluster: props.clusterName })}
      submitLabel={t('undo.submit')}
      destructive
      isComplete={archiveKey.isComplete}
      onSubmit={async () => {
        const opened = await archiveKey.open();
        return opened && api.undoRestore(operation.id, opened);
      }}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('undo.description')}</Text>
          <InterruptedKeyField archiveKey={archiveKey} isDisabled={isBusy} />
        </>
      )}
    </ActionDialog>
  );
}
