import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  RiCheckLine,
  RiCloseCircleLine,
  RiLoader4Line,
} from '@remixicon/react';
import { PassedStep } from '../operations/stepsOf';
import { clusterBackupTranslationRef } from '../translation';
import styles from './OperationSteps.module.css';

const ICONS = {
  done: RiCheckLine,
  running: RiLoader4Line,
  stopped: RiCloseCircleLine,
};

const WORDS = {
  done: 'operation.stepDone',
  running: 'operation.stepRunning',
  stopped: 'operation.stepStopped',
} as const;

/** The steps that an operation has come to. */
export function OperationSteps(props: { steps: PassedStep[] }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <ol className={styles.steps} aria-label={t('operation.steps')}>
      {props.steps.map(({ name, title, state }) => {
        const Icon = ICONS[state];
        return (
          <li key={name} className={styles[state]}>
            <Icon size={16} className={styles.icon} aria-hidden />
            <span>{title}</span>
            <span className={styles.state}>{t(WORDS[state])}</span>
          </li>
        );
      })}
    </ol>
  );
}
