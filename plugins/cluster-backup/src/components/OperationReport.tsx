import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Accordion,
  AccordionPanel,
  AccordionTrigger,
  Alert,
  Flex,
  Text,
  VisuallyHidden,
} from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatDuration, formatTime } from '../format/time';
import { stepsOf } from '../operations/stepsOf';
import { FollowedOperation } from '../operations/useOperation';
import { wordFor } from '../operations/wordFor';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { Findings } from './Findings';
import { OperationLog } from './OperationLog';
import { OperationSteps } from './OperationSteps';
import { ProgressBar } from './ProgressBar';
import { SilencePanel } from './SilencePanel';
import { Who } from './Who';

/** Where an operation stands, or how it ended. */
export function OperationReport(props: {
  operation: Operation;
  followed: FollowedOperation;
}) {
  const { operation, followed } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { kind, status, bytes, fault, findings, step } = operation;
  const isRunning = status === 'running';
  const percent =
    bytes?.total && Math.floor((4 * bytes.done) / bytes.total) * 25;
  const words = {
    kind: t(`operation.kind.${kind}`),
    status: t(wordFor(operation)),
    step: step?.title ?? '',
  };
  const steps = stepsOf(operation, followed.events);

  return (
    <Flex direction="column" gap="4">
      <VisuallyHidden role="status">
        {isRunning && percent
          ? t('operation.announceWithPercent', {
              ...words,
              percent: String(percent),
            })
          : t('operation.announce', words)}
      </VisuallyHidden>
      {followed.error && (
        <SilencePanel error={followed.error} heardAt={followed.heardAt} />
      )}
      <Text variant="body-small" color="secondary">
        {t('operation.startedBy')} <Who entityRef={operation.requestedBy} />
        {' · '}
        {formatTime(operation.requestedAt)}
        {operation.startedAt &&
          ` · ${formatDuration(secondsOf(operation, followed.heardAt))}`}
        {operation.attempt > 1 &&
          ` · ${t('operation.attempt', {
            attempt: String(operation.attempt),
          })}`}
      </Text>
      {fault && <FaultPanel fault={fault} />}
      <Outcome operation={operation} />
      {status === 'queued' && steps.length === 0 && (
        <Text>{t('operation.waiting')}</Text>
      )}
      {findings && <Findings findings={findings} />}
      {steps.length > 0 && <OperationSteps steps={steps} />}
      {isRunning && bytes && <ProgressBar bytes={bytes} />}
      <Accordion>
        <AccordionTrigger title={t('operation.log')} />
        <AccordionPanel>
          <OperationLog events={followed.events} />
        </AccordionPanel>
      </Accordion>
    </Flex>
  );
}

function Outcome(props: { operation: Operation }) {
  const { kind, status, outageSeconds } = props.operation;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  if (status === 'cancelled') {
    return <Alert status="info" icon title={t('outcome.cancelled')} />;
  }
  if (status === 'undone') {
    return <Alert status="success" icon title={t('outcome.undone')} />;
  }
  if (status !== 'succeeded' || kind === 'check') {
    return null;
  }
  return (
    <Alert
      status="success"
      icon
      title={t(`outcome.${kind}Done`)}
      description={
        outageSeconds !== undefined &&
        t('outcome.outage', { duration: formatDuration(outageSeconds) })
      }
    />
  );
}

function secondsOf(operation: Operation, heardAt = new Date()): number {
  const from = new Date(operation.startedAt ?? operation.requestedAt);
  const to = operation.endedAt ? new Date(operation.endedAt) : heardAt;
  return (to.getTime() - from.getTime()) / 1000;
}
