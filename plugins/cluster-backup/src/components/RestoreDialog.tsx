import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Checkbox, Flex, Text, TextField } from '@backstage/ui';
import {
  Backup,
  ClusterOverview,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatAge, formatTime } from '../format/time';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { BackupFacts, expiryOf } from './BackupFacts';
import { IdentityField } from './IdentityField';
import { ManagedClusters } from './ManagedClusters';
import { RestoreAdvice } from './RestoreAdvice';
import { Reservations } from './Reservations';
import { SupportLink } from './SupportLink';
import styles from './RestoreDialog.module.css';

/** Puts a backup back, after a person has read what that means and typed the cluster's name. */
export function RestoreDialog(props: {
  backup: Backup;
  clusterName: string;
  overview: ClusterOverview;
  /** Why the person may not start a backup. */
  reasonAgainstBackup?: string;
  onBackUpSurvivor(): void;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { backup, clusterName: cluster } = props;
  const { expireAfterDays, supportLink } = props.overview;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const identity = useFileKey();
  const [confirmation, setConfirmation] = useState('');
  const [withFiles, setWithFiles] = useState(false);
  const [deadMachines, setDeadMachines] = useState('');
  const leaveOut = deadMachines.split(/[\s,]+/).filter(Boolean);
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
      ...(withFiles && { withFiles }),
      ...(leaveOut.length > 0 && { leaveOut }),
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
          <RestoreAdvice
            clusterRef={backup.clusterRef}
            reasonAgainstBackup={props.reasonAgainstBackup}
            onBackUpSurvivor={props.onBackUpSurvivor}
          />
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
          <ManagedClusters backup={backup} />
          {(backup.gdc || supportLink) && (
            <Text>
              {backup.gdc && t('restore.gdcUnsupported')}{' '}
              {supportLink && <SupportLink {...supportLink} />}
            </Text>
          )}
          {Date.parse(expiryOf(backup, expireAfterDays)) < Date.now() && (
            <Text color="danger">{t('restore.expired')}</Text>
          )}
          {backup.reservations.length > 0 && (
            <Reservations reservations={backup.reservations} />
          )}
          <details className={styles.facts}>
            <summary>
              {t('backups.details', { time: formatTime(backup.createdAt) })}
            </summary>
            <BackupFacts backup={backup} expireAfterDays={expireAfterDays} />
          </details>
          <details className={styles.facts}>
            <summary>{t('restore.more')}</summary>
            <Flex direction="column" gap="3" mt="2">
              <div>
                <Checkbox
                  isSelected={withFiles}
                  onChange={setWithFiles}
                  isDisabled={isBusy}
                >
                  {t('restore.withFiles')}
                </Checkbox>
                <Text variant="body-small" color="secondary">
                  {t('restore.withFilesDescription')}
                </Text>
              </div>
              <TextField
                label={t('restore.leaveOut')}
                description={t('restore.leaveOutDescription')}
                value={deadMachines}
                onChange={setDeadMachines}
                isDisabled={isBusy}
                autoComplete="off"
              />
            </Flex>
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
