import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import {
  Backup,
  ClusterOverview,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatAge, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { BackupFacts, expiryOf } from './BackupFacts';
import { ManagedClusters } from './ManagedClusters';
import { RestoreAdvice } from './RestoreAdvice';
import { Reservations } from './Reservations';
import { SupportLink } from './SupportLink';
import styles from './RestoreDialog.module.css';

/** What a person reads before a restore: what takes less, what it does, and what is put back. */
export function RestoreConsequences(props: {
  backup: Backup;
  clusterName: string;
  overview: ClusterOverview;
  /** Why the person may not start a backup. */
  reasonAgainstBackup?: string;
  onBackUpSurvivor(): void;
}) {
  const { backup, clusterName: cluster } = props;
  const { expireAfterDays, supportLink } = props.overview;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
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
    </>
  );
}
