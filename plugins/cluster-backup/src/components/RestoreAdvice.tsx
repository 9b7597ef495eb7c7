import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Flex, Text } from '@backstage/ui';
import { ClusterAssessment } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { ReasonedButton } from './ReasonedButton';

const TITLES = {
  'nothing-to-restore': 'advice.nothingToRestore',
  'start-api-servers': 'advice.startApiServers',
  'start-members': 'advice.startMembers',
  'back-up-survivor': 'advice.backUpSurvivor',
  'restore-backup': 'advice.restoreBackup',
} as const;

/** What takes less than a restore, or comes before one. It keeps nobody from restoring. */
export function RestoreAdvice(props: {
  clusterRef: string;
  /** Why the person may not start a backup. */
  reasonAgainstBackup?: string;
  onBackUpSurvivor(): void;
}) {
  const { clusterRef, reasonAgainstBackup, onBackUpSurvivor } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [assessment, setAssessment] = useState<ClusterAssessment>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = true;
    api.getAssessment(clusterRef).then(
      value => isCurrent && setAssessment(value),
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, clusterRef]);

  if (error) return <FaultPanel fault={faultOf(error)} />;
  if (!assessment) return <Text role="status">{t('advice.asking')}</Text>;
  const { advice, message, remedy, survivor } = assessment;
  return (
    <Flex direction="column" gap="2" align="start" role="status">
      <Alert
        status={advice === 'restore-backup' ? 'info' : 'warning'}
        icon
        title={t(TITLES[advice])}
        description={`${message} ${remedy} ${t('advice.goOn')}`}
      />
      {survivor && (
        <ReasonedButton
          variant="secondary"
          reason={reasonAgainstBackup}
          onPress={onBackUpSurvivor}
        >
          {t('advice.backUp')}
        </ReasonedButton>
      )}
    </Flex>
  );
}
