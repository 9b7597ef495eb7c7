import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, Flex, Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { hasEnded } from '../operations/hasEnded';
import { FollowedOperation } from '../operations/useOperation';
import { wordFor } from '../operations/wordFor';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { OperationReport } from './OperationReport';
import { ReasonedButton } from './ReasonedButton';
import { ResumeDialog } from './ResumeDialog';
import { Section } from './Section';
import { UndoDialog } from './UndoDialog';

/** The operation that people look at now, and what they can do about it. */
export function OperationPanel(props: {
  operation: Operation;
  followed: FollowedOperation;
  clusterName: string;
  /** Why the person may not do anything about it. */
  denial?: string;
  onChanged(operation: Operation): void;
  onDismiss(): void;
}) {
  const { operation, followed, denial } = props;
  const { id, kind, status } = operation;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [error, setError] = useState<Error>();
  const [isCancelling, setCancelling] = useState(false);
  const isCancellable =
    status === 'queued' || (status === 'running' && !operation.undoing);
  const isCancelled = isCancelling || operation.cancelRequested;

  const cancel = async () => {
    setError(undefined);
    setCancelling(true);
    try {
      props.onChanged(await api.cancelOperation(id));
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setCancelling(false);
    }
  };

  const actions = isCancellable && (
    <ReasonedButton
      variant="secondary"
      size="small"
      isPending={isCancelled}
      reason={
        denial ?? (operation.onlyForward ? t('undo.onlyForward') : undefined)
      }
      onPress={cancel}
    >
      {t(isCancelled ? 'actions.cancelling' : 'actions.cancelOperation')}
    </ReasonedButton>
  );

  return (
    <Section
      title={t('operation.title', {
        kind: t(`operation.kind.${kind}`),
        status: t(wordFor(operation)),
      })}
      actions={
        actions ||
        (hasEnded(operation) && (
          <Button variant="tertiary" size="small" onPress={props.onDismiss}>
            {t('actions.dismiss')}
          </Button>
        ))
      }
    >
      <Flex direction="column" gap="4">
        {status === 'interrupted' && <Interrupted {...props} />}
        {error && <FaultPanel fault={faultOf(error)} />}
        <OperationReport operation={operation} followed={followed} />
      </Flex>
    </Section>
  );
}

function Interrupted(props: {
  operation: Operation;
  clusterName: string;
  denial?: string;
  onChanged(operation: Operation): void;
}) {
  const { operation, clusterName, denial, onChanged } = props;
  const { step, onlyForward } = operation;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [asked, setAsked] = useState<'resume' | 'undo'>();
  const AskedDialog = asked === 'resume' ? ResumeDialog : UndoDialog;
  return (
    <Flex direction="column" gap="3">
      <Text>
        {[
          step && t('interrupted.at', { step: step.title }),
          t(onlyForward ? 'interrupted.onlyForward' : 'interrupted.undoable'),
          t('interrupted.waits'),
        ]
          .filter(Boolean)
          .join(' ')}
      </Text>
      <Flex gap="2">
        <ReasonedButton
          variant="primary"
          reason={denial}
          onPress={() => setAsked('resume')}
        >
          {t('actions.resume')}
        </ReasonedButton>
        <ReasonedButton
          variant="secondary"
          reason={denial ?? (onlyForward ? t('undo.onlyForward') : undefined)}
          onPress={() => setAsked('undo')}
        >
          {t('actions.undo')}
        </ReasonedButton>
      </Flex>
      {asked && (
        <AskedDialog
          operation={operation}
          clusterName={clusterName}
          onStarted={changed => {
            setAsked(undefined);
            onChanged(changed);
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
    </Flex>
  );
}
