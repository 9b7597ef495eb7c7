import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, CardBody, Flex, Text } from '@backstage/ui';
import {
  Backup,
  ClusterProtection,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RiErrorWarningLine, RiShieldCheckLine } from '@remixicon/react';
import { ReactNode } from 'react';
import { formatBytes } from '../format/bytes';
import { formatAge, formatTime } from '../format/time';
import { goodCopies } from '../operations/goodCopies';
import { clusterBackupTranslationRef } from '../translation';
import styles from './Protection.module.css';

const STYLE = {
  protected: styles.protected,
  'at-risk': styles.atRisk,
  unprotected: styles.unprotected,
};

/** Whether a cluster is protected and since when, what makes that doubtful, and what can be done about it. */
export function Protection(props: {
  protection: ClusterProtection;
  lastBackup?: Backup;
  nextBackupAt?: string;
  actions: ReactNode;
}) {
  const { lastBackup, nextBackupAt, protection, actions } = props;
  const { level, reasons } = protection;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const Icon = level === 'protected' ? RiShieldCheckLine : RiErrorWarningLine;
  return (
    <Card>
      <CardBody>
        <div className={styles.line}>
          <Icon
            className={STYLE[level]}
            role="img"
            aria-label={t(`protection.${level}`)}
          />
          <Flex direction="column" gap="1" className={styles.words}>
            <Text as="h2" variant="title-x-small" weight="bold">
              {lastBackup
                ? t('protection.last', { age: formatAge(lastBackup.createdAt) })
                : t('protection.never')}
            </Text>
            {lastBackup && <LastBackup backup={lastBackup} />}
            {reasons.map(({ code, level: how, message, remedy }, i) => (
              <Text
                key={`${code} ${i}`}
                color={how === 'unprotected' ? 'danger' : 'warning'}
              >
                {message} {remedy}
              </Text>
            ))}
            {(lastBackup || nextBackupAt) && (
              <Text color="secondary">
                {lastBackup && t('protection.loss')}
                {lastBackup && nextBackupAt && ' '}
                {nextBackupAt &&
                  t('protection.next', { time: formatTime(nextBackupAt) })}
              </Text>
            )}
          </Flex>
          <div className={styles.actions}>{actions}</div>
        </div>
      </CardBody>
    </Card>
  );
}

function LastBackup(props: { backup: Backup }) {
  const { createdAt, member, size, copies, reservations } = props.backup;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { length: count } = reservations;
  return (
    <Text>
      {t('protection.facts', {
        member,
        time: formatTime(createdAt),
        size: formatBytes(size),
      })}
      {' · '}
      {count > 0
        ? t('protection.reservations', { count })
        : t('protection.noReservations')}
      {copies.length > 1 &&
        ` · ${t('copies.of', {
          good: `${goodCopies(copies)}`,
          all: `${copies.length}`,
        })}`}
    </Text>
  );
}
