import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Card, CardBody, Flex, Text } from '@backstage/ui';
import {
  Backup,
  RecipientProof,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RiErrorWarningLine, RiShieldCheckLine } from '@remixicon/react';
import { ReactNode } from 'react';
import { formatBytes } from '../format/bytes';
import { formatAge, formatTime } from '../format/time';
import { goodCopies } from '../operations/goodCopies';
import { clusterBackupTranslationRef } from '../translation';
import styles from './Protection.module.css';

/** Whether a cluster is protected and since when, and what can be done about it. */
export function Protection(props: {
  lastBackup?: Backup;
  recipients: RecipientProof[];
  actions: ReactNode;
}) {
  const { lastBackup, recipients, actions } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const count = lastBackup?.reservations.length ?? 0;
  const copies = lastBackup?.copies ?? [];
  const good = goodCopies(copies);
  const proven = recipients.filter(({ isProven }) => isProven).length;
  const isProtected = good === copies.length && proven === recipients.length;
  return (
    <Card>
      <CardBody>
        <div className={styles.line}>
          {lastBackup && isProtected ? (
            <RiShieldCheckLine className={styles.protected} aria-hidden />
          ) : (
            <RiErrorWarningLine
              className={
                lastBackup && good ? styles.atRisk : styles.unprotected
              }
              aria-hidden
            />
          )}
          <Flex direction="column" gap="1" className={styles.words}>
            <Text as="h2" variant="title-x-small" weight="bold">
              {lastBackup
                ? t('protection.last', { age: formatAge(lastBackup.createdAt) })
                : t('protection.never')}
            </Text>
            {lastBackup ? (
              <>
                <Text>
                  {t('protection.facts', {
                    time: formatTime(lastBackup.createdAt),
                    member: lastBackup.member,
                    size: formatBytes(lastBackup.size),
                  })}
                  {' · '}
                  {count > 0
                    ? t('protection.reservations', { count })
                    : t('protection.noReservations')}
                  {copies.length > 1 &&
                    ` · ${t('copies.of', {
                      good: `${good}`,
                      all: `${copies.length}`,
                    })}`}
                </Text>
                {good < copies.length && (
                  <Text color={good ? 'warning' : 'danger'}>
                    {t(good ? 'copies.atRisk' : 'copies.none')}
                  </Text>
                )}
                {proven < recipients.length && (
                  <Text color="warning">
                    {t(proven ? 'prove.somebody' : 'prove.unproven')}
                  </Text>
                )}
                <Text color="secondary">{t('protection.loss')}</Text>
              </>
            ) : (
              <Text>{t('protection.neverDescription')}</Text>
            )}
          </Flex>
          <div className={styles.actions}>{actions}</div>
        </div>
      </CardBody>
    </Card>
  );
}
