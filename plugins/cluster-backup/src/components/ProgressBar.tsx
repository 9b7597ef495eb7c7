import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatBytes } from '../format/bytes';
import { formatDuration } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import styles from './ProgressBar.module.css';

/** How far a step's stream is, how fast it goes and how long it will take. */
export function ProgressBar(props: { bytes: NonNullable<Operation['bytes']> }) {
  const { done, total, rate } = props.bytes;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const percent = total ? Math.min((100 * done) / total, 100) : undefined;
  const words = [
    total
      ? t('operation.bytesOf', {
          done: formatBytes(done),
          total: formatBytes(total),
        })
      : formatBytes(done),
    rate > 0 && t('operation.rate', { rate: formatBytes(rate) }),
    total !== undefined &&
      rate > 0 &&
      total > done &&
      t('operation.remaining', {
        duration: formatDuration((total - done) / rate),
      }),
  ]
    .filter(Boolean)
    .join(' · ');
  return (
    <div>
      <div
        role="progressbar"
        aria-label={t('operation.progress')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent && Math.floor(percent)}
        aria-valuetext={words}
        className={styles.track}
      >
        <div
          className={percent === undefined ? styles.unknown : styles.bar}
          style={percent === undefined ? undefined : { width: `${percent}%` }}
        />
      </div>
      <Text variant="body-small" color="secondary">
        {words}
      </Text>
    </div>
  );
}
