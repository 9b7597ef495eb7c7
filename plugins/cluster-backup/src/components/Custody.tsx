import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { CustodyEntry } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import styles from './Custody.module.css';
import { FaultPanel } from './FaultPanel';
import { Who } from './Who';

/** What was done to an archive, by whom and why. */
export function Custody(props: { backupId: string; version: string }) {
  const { backupId, version } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [entries, setEntries] = useState<CustodyEntry[]>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = true;
    api.getCustody(backupId).then(
      value => isCurrent && setEntries(value),
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, backupId, version]);

  if (error) return <FaultPanel fault={faultOf(error)} />;
  if (!entries) return null;
  return (
    <section aria-label={t('custody.title')}>
      <Text as="h3" variant="body-medium" weight="bold">
        {t('custody.title')}
      </Text>
      <ol className={styles.entries}>
        {entries.map(({ at, event, by, why, store }, index) => (
          <li key={`${at} ${index}`} className={styles.entry}>
            <time dateTime={at} className={styles.time}>
              {formatTime(at)}
            </time>
            <span>
              {t(`custody.events.${event}`)}
              {store && ` (${store})`}
              {by && (
                <>
                  {' '}
                  {t('custody.by')} <Who entityRef={by} />
                </>
              )}
              {why && `: ${why}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
