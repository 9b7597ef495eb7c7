import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text, TextField } from '@backstage/ui';
import {
  Backup,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatAge, formatTime } from '../format/time';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { BackupFacts } from './BackupFacts';
import { IdentityField } from './IdentityField';
import { Reservations } from './Reservations';
import styles from './RestoreDialog.module.css';

/** Puts a backup back, after a person has read what that means and typed the cluster's name. */
export function RestoreDialog(props: {
  backup: Backup;
  clusterName: string;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { backup, clusterName: cluster } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const [confirmation, setConfirmation] = useState('');
  const [isSending, setSending] = useState(false);
  const { isEncrypted } = backup;
  const isOpenable = !isEncrypted || identity.field.value.trim() !== '';

  const restore = async () => {
    setSending(false);
    const fileKey = isEncrypted ? await identity.open(backup.id) : undefined;
    if (isEncrypted && fileKey === undefined) {
      return undefined;
    }
    setSending(true);
    return api.startRestore(backup.clusterRef, {
      backupId: backup.id,
      confirmation,
      fileKey,
    });
  };

  return (
    <ActionDialog
      title={t('restore.title', { cluster })}
      submitLabel={t('restore.submit', { cluster })}
      destructive
      isComplete={confirmation === cluster && isOpenable}
      busyLabel={t(isSending ? 'restore.sending' : 'restore.opening')}
      onSubmit={restore}
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <div>
            <Text as="h3" variant="body-medium" weight="bold">
              {t('restore.whatHappens')}
            </Text>
            <ul className={styles.consequences}>
              <li>
                {t('restore.loss', {
                  time: formatTime(backup.createdAt),
                  age: formatAge(backup.createdAt),
                })}
              </li>
              <li>{t('restore.outage', { cluster })}</li>
              <li>{t('restore.safety')}</li>
              <li>{t('restore.proof')}</li>
              <li>{t('restore.kept')}</li>
            </ul>
          </div>
          {backup.reservations.length > 0 && (
            <Reservations reservations={backup.reservations} />
          )}
          <details className={styles.facts}>
            <summary>
              {t('backups.details', { time: formatTime(backup.createdAt) })}
            </summary>
            <BackupFacts backup={backup} />
          </details>
          {isEncrypted ? (
            <IdentityField {...identity.field} isDisabled={isBusy} />
          ) : (
            <Text>{t('restore.unencrypted')}</Text>
          )}
          <TextField
            label={t('restore.confirmation', { cluster })}
            value={confirmation}
            onChange={setConfirmation}
            isDisabled={isBusy}
            autoComplete="off"
          />
          {confirmation !== '' && !cluster.startsWith(confirmation) && (
            <Text role="alert" color="danger">
              {t('restore.mismatch')}
            </Text>
          )}
        </>
      )}
    </ActionDialog>
  );
}
