import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex } from '@backstage/ui';
import {
  ClusterOverview,
  Operation,
  RequestedRestore,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { usePersonRef } from '../identity/usePersonRef';
import { clusterBackupTranslationRef } from '../translation';
import { DecideDialog, Decision } from './DecideDialog';
import { FaultPanel } from './FaultPanel';
import { ReasonedButton } from './ReasonedButton';
import { RestoreRequestFacts } from './RestoreRequestFacts';
import { Section } from './Section';
import { StartApprovedDialog } from './StartApprovedDialog';

const OPEN: RequestedRestore['status'][] = ['pending', 'approved', 'void'];

/** Restores that wait for a second person, or for their start; and what became of the last one. */
export function RestoreRequests(props: {
  overview: ClusterOverview;
  clusterName: string;
  /** Why the person may not do so. */
  reasonAgainstApprove?: string;
  reasonAgainstStart?: string;
  onChanged(): void;
  onStarted(operation: Operation): void;
}) {
  const { overview, clusterName, onChanged, onStarted } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const me = usePersonRef();
  const [deciding, setDeciding] = useState<{
    request: RequestedRestore;
    decision: Decision;
  }>();
  const [starting, setStarting] = useState<RequestedRestore>();
  const [error, setError] = useState<Error>();

  const shown = overview.restoreRequests.filter(
    ({ status }, index) =>
      OPEN.includes(status) || (index === 0 && status !== 'started'),
  );
  const withdraw = async ({ id }: RequestedRestore) => {
    setError(undefined);
    try {
      await api.withdrawRestore(id);
      onChanged();
    } catch (reason) {
      setError(reason as Error);
    }
  };

  return (
    <>
      {error && <FaultPanel fault={faultOf(error)} />}
      {shown.map(request => {
        const { id, status, requestedBy, check } = request;
        const isMine = requestedBy === me;
        const isChecked = ['succeeded', 'failed'].includes(check.status);
        const isPending = status === 'pending';
        const decide = (decision: Decision) =>
          setDeciding({ request, decision });
        const unchecked = isChecked ? undefined : t('request.unchecked');
        return (
          <Section key={id} title={t(`request.is.${status}`)}>
            <Flex direction="column" gap="3">
              <RestoreRequestFacts request={request} />
              <Flex gap="2" style={{ flexWrap: 'wrap' }}>
                {status === 'approved' && (
                  <ReasonedButton
                    variant="primary"
                    destructive
                    reason={
                      props.reasonAgainstStart ??
                      (isMine ? undefined : t('request.othersStart'))
                    }
                    onPress={() => setStarting(request)}
                  >
                    {t('request.startAction')}
                  </ReasonedButton>
                )}
                {isPending && (
                  <>
                    <ReasonedButton
                      variant="primary"
                      reason={
                        props.reasonAgainstApprove ??
                        (isMine ? t('request.ownApproval') : unchecked)
                      }
                      onPress={() => decide('approve')}
                    >
                      {t('decide.approve')}
                    </ReasonedButton>
                    <ReasonedButton
                      variant="secondary"
                      reason={props.reasonAgainstApprove}
                      onPress={() => decide('reject')}
                    >
                      {t('decide.reject')}
                    </ReasonedButton>
                    {overview.allowed.approveAlone.allowed && (
                      <ReasonedButton
                        variant="secondary"
                        destructive
                        reason={unchecked}
                        onPress={() => decide('alone')}
                      >
                        {t('decide.alone')}
                      </ReasonedButton>
                    )}
                  </>
                )}
                {isMine && OPEN.includes(status) && (
                  <ReasonedButton
                    variant="secondary"
                    onPress={() => withdraw(request)}
                  >
                    {t('request.withdraw')}
                  </ReasonedButton>
                )}
              </Flex>
            </Flex>
          </Section>
        );
      })}
      {deciding && (
        <DecideDialog
          {...deciding}
          clusterName={clusterName}
          onDecided={() => {
            setDeciding(undefined);
            onChanged();
          }}
          onClose={() => setDeciding(undefined)}
        />
      )}
      {starting && (
        <StartApprovedDialog
          request={starting}
          clusterName={clusterName}
          onStarted={operation => {
            setStarting(undefined);
            onStarted(operation);
          }}
          onClose={() => setStarting(undefined)}
        />
      )}
    </>
  );
}
