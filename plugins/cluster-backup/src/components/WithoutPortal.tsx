import { CopyTextButton } from '@backstage/core-components';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Link, Text } from '@backstage/ui';
import {
  Backup,
  restoreCommand,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useResolvedPath } from 'react-router-dom';
import { clusterBackupTranslationRef } from '../translation';
import styles from './WithoutPortal.module.css';

/** How a backup is restored where the portal is gone: the command itself, and where more is said. */
export function WithoutPortal(props: { clusterName: string; backup: Backup }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const runbook = useResolvedPath('runbook').pathname;
  const command = restoreCommand(props.clusterName, props.backup).join(' ');
  return (
    <Flex direction="column" gap="2">
      <Text as="h3" variant="body-medium" weight="bold">
        {t('withoutPortal.title')}
      </Text>
      <div className={styles.command}>
        <code>{command}</code>
        <CopyTextButton
          text={command}
          aria-label={t('withoutPortal.copy')}
          tooltipText={t('withoutPortal.copied')}
        />
      </div>
      <Text color="secondary">
        {t('withoutPortal.description')}{' '}
        <Link href={runbook}>{t('withoutPortal.runbook')}</Link>
      </Text>
    </Flex>
  );
}
