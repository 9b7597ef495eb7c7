import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';

/** Takes an interrupted restore back. */
export function UndoDialog(props: {
  operation: Operation;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <ActionDialog
      title={t('undo.title', { cluster: props.clusterName })}
      submitLabel={t('undo.submit')}
      destructive
      onSubmit={() => api.undoRestore(props.operation.id)}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {() => <Text>{t('undo.description')}</Text>}
    </ActionDialog>
  );
}
