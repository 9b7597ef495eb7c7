import { stringifyEntityRef } from '@backstage/catalog-model';
import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  EntityRefLink,
  useEntity,
  useRelatedEntities,
} from '@backstage/plugin-catalog-react';
import { Text } from '@backstage/ui';
import {
  ClusterOverview,
  isClusterEntity,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { isDenial } from '../faults/faultOf';
import { formatAge } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import styles from './RelatedClusters.module.css';
import { Section } from './Section';

/** The clusters that this one depends on and those that depend on it, as user clusters do on their admin cluster. */
export function RelatedClusters() {
  const { entity } = useEntity();
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const dependsOn = useRelatedEntities(entity, { type: 'dependsOn' });
  const dependencyOf = useRelatedEntities(entity, { type: 'dependencyOf' });
  const related = [
    ...(dependsOn.entities ?? []).map(
      other => ({ other, relation: 'dependsOn' } as const),
    ),
    ...(dependencyOf.entities ?? []).map(
      other => ({ other, relation: 'dependencyOf' } as const),
    ),
  ].filter(({ other }) => isClusterEntity(other));
  if (related.length === 0) {
    return null;
  }
  return (
    <Section title={t('related.title')}>
      <ul className={styles.clusters}>
        {related.map(({ other, relation }) => {
          const ref = stringifyEntityRef(other);
          return (
            <li key={`${relation} ${ref}`} className={styles.cluster}>
              <EntityRefLink entityRef={other} />
              <Text color="secondary">{t(`related.${relation}`)}</Text>
              <LastBackup clusterRef={ref} />
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function LastBackup(props: { clusterRef: string }) {
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [overview, setOverview] = useState<ClusterOverview>();
  const [error, setError] = useState<Error>();

  useEffect(() => {
    let isCurrent = true;
    api.getCluster(props.clusterRef).then(
      value => isCurrent && setOverview(value),
      reason => isCurrent && setError(reason),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, props.clusterRef]);

  if (error) {
    return (
      <Text color="secondary">
        {t(isDenial(error) ? 'related.notAllowed' : 'related.unknown')}
      </Text>
    );
  }
  if (!overview) {
    return <Text color="secondary">…</Text>;
  }
  if (overview.name === undefined) {
    return <Text color="secondary">{t('related.notConfigured')}</Text>;
  }
  return overview.lastBackup ? (
    <Text>
      {t('related.backedUp', { age: formatAge(overview.lastBackup.createdAt) })}
    </Text>
  ) : (
    <Text color="danger">{t('related.never')}</Text>
  );
}
