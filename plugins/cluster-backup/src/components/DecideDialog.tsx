import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Text } from '@backstage/ui';
import { RequestedRestore } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ReasonField } from './ReasonField';

/** What can be said of a request; `alone` in an emergency. */
export type Decision = 'approve' | 'alone' | 'reject';

/** Asks a person for their word on a restore that was requested. */
export function DecideDialog(props: {
  request: RequestedRestore;
  decision: Decision;
  clusterName: string;
  onDecided(): void;
  onClose(): void;
}) {
  const { request, decision, clusterName: cluster } = props;
  const { id, archive } = request;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [text, setText] = useState('');
  const reason = text.trim();
  const needsReason = decision !== 'approve';

  const decide = () => {
    if (decision === 'reject') return api.rejectRestore(id, { reason });
    return api.approveRestore(id, {
      ...(reason && { reason }),
      ...(decision === 'alone' && { emergency: true }),
    });
  };

  return (
    <ActionDialog
      title={t(`decide.${decision}Title`, { cluster })}
      submitLabel={t(`decide.${decision}`)}
      destructive={decision === 'alone'}
      isComplete={reason !== '' || !needsReason}
      onSubmit={decide}
      onStarted={props.onDecided}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          {decision === 'alone' && (
            <Alert status="danger" icon title={t('decide.aloneWarning')} />
          )}
          {decision === 'approve' && (
            <Text>
              {t('decide.question', {
                cluster,
                time: formatTime(archive.createdAt),
              })}
            </Text>
          )}
          <ReasonField
            label={t(needsReason ? 'reason.needed' : 'reason.optional')}
            value={text}
            onChange={setText}
            isRequired={needsReason}
            isDisabled={isBusy}
          />
        </>
      )}
    </ActionDialog>
  );
}
