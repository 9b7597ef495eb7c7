import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { OperationEvent } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatClock, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import styles from './OperationLog.module.css';

/** Every line that an operation told. */
export function OperationLog(props: { events: OperationEvent[] }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  if (props.events.length === 0) {
    return <Text color="secondary">{t('operation.logEmpty')}</Text>;
  }
  return (
    <div
      role="region"
      aria-label={t('operation.log')}
      // What scrolls has to be reachable by keyboard.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className={styles.log}
    >
      <ol className={styles.lines}>
        {props.events.map(({ cursor, at, machine, type, step, message }) => (
          <li key={cursor} className={styles.line}>
            <time dateTime={at} title={formatTime(at)} className={styles.time}>
              {formatClock(at)}
            </time>
            <span>
              {machine && <span className={styles.machine}>{machine} </span>}
              {message || step}
              {type === 'step-done' && ` ✓ ${t('operation.stepDone')}`}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}
