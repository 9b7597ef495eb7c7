import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Text } from '@backstage/ui';
import {
  Backup,
  ManagedClusters as Managed,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import styles from './ManagedClusters.module.css';

const MANAGING = ['admin', 'hybrid'];

/** What a restore does to the user clusters of a cluster that manages some. */
export function ManagedClusters(props: { backup: Backup }) {
  const { id, gdc } = props.backup;
  const isManaging = MANAGING.includes(gdc?.type ?? '');
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [managed, setManaged] = useState<Managed>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = isManaging;
    if (isCurrent) {
      api.getManagedClusters(id).then(
        value => isCurrent && setManaged(value),
        reason => isCurrent && setError(reason),
      );
    }
    return () => {
      isCurrent = false;
    };
  }, [api, id, isManaging]);

  if (!isManaging) return null;
  if (error) return <FaultPanel fault={faultOf(error)} />;
  if (!managed) return <Text role="status">{t('managed.asking')}</Text>;
  const { clusters, fault } = managed;
  const changed = clusters.filter(({ change }) => change !== 'same');
  return (
    <div role="status">
      <Text as="h3" variant="body-medium" weight="bold">
        {t('managed.title')}
      </Text>
      {fault && (
        <Alert
          status="warning"
          icon
          title={t('managed.notKnown')}
          description={fault.message}
        />
      )}
      {!fault && changed.length === 0 && (
        <Text>{t('managed.allSame', { count: clusters.length })}</Text>
      )}
      <ul className={styles.clusters}>
        {changed.map(({ namespace, name, change }) => (
          <li key={`${namespace}/${name}`}>
            <strong>{name}</strong>: {t(`managed.${change as 'back'}`)}
          </li>
        ))}
      </ul>
    </div>
  );
}
