import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
} from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useOperation } from '../operations/useOperation';
import { wordFor } from '../operations/wordFor';
import { clusterBackupTranslationRef } from '../translation';
import { OperationReport } from './OperationReport';

/** An operation of the past, with its log. */
export function OperationDialog(props: {
  operation: Operation;
  onClose(): void;
}) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const followed = useOperation(props.operation.id);
  const operation = followed.operation ?? props.operation;
  return (
    <Dialog
      isOpen
      width="min(720px, 100vw)"
      onOpenChange={isOpen => !isOpen && props.onClose()}
    >
      <DialogHeader>
        {t('operation.title', {
          kind: t(`operation.kind.${operation.kind}`),
          status: t(wordFor(operation)),
        })}
      </DialogHeader>
      <DialogBody>
        <OperationReport operation={operation} followed={followed} />
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={props.onClose}>
          {t('common.close')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
