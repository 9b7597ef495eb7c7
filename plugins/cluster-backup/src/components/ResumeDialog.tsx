import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import {
  Backup,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { FaultPanel } from './FaultPanel';
import { IdentityField } from './IdentityField';

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
  const identity = useFileKey();
  const read = operation.needsArchive ? operation.backupId : undefined;
  const { backup, error } = useBackup(read);
  const isKnown = read === undefined || backup !== undefined;
  const isLocked = backup?.isEncrypted === true;

  const resume = async () => {
    if (!isLocked) {
      return api.resumeRestore(operation.id, {});
    }
    const fileKey = await identity.open(backup.id);
    return fileKey && api.resumeRestore(operation.id, { fileKey });
  };

  return (
    <ActionDialog
      title={t('resume.title', { cluster })}
      submitLabel={t('resume.submit')}
      isComplete={isKnown && (!isLocked || identity.field.value.trim() !== '')}
      onSubmit={async () => (await resume()) || undefined}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('resume.description')}</Text>
          {error && <FaultPanel fault={faultOf(error)} />}
          {!isKnown && !error && (
            <Text role="status">{t('common.loading')}</Text>
          )}
          {isLocked && (
            <>
              <Text>{t('interrupted.needsIdentity')}</Text>
              <IdentityField {...identity.field} isDisabled={isBusy} />
            </>
          )}
        </>
      )}
    </ActionDialog>
  );
}

function useBackup(id: string | undefined) {
  const api = useApi(clusterBackupApiRef);
  const [backup, setBackup] = useState<Backup>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    let isCurrent = true;
    if (id !== undefined) {
      api.getBackup(id).then(
        found => isCurrent && setBackup(found),
        reason => isCurrent && setError(reason),
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [api, id]);
  return { backup, error };
}
