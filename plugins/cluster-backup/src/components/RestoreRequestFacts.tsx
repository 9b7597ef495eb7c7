import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Flex, Text } from '@backstage/ui';
import { RequestedRestore } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ReactNode } from 'react';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { Facts } from './Facts';
import { FaultPanel } from './FaultPanel';
import { Findings } from './Findings';
import { Who } from './Who';
import styles from './RestoreDialog.module.css';

/** What was requested, by whom and why, and what the checks found: the same for requester and approver. */
export function RestoreRequestFacts(props: { request: RequestedRestore }) {
  const { request } = props;
  const { check, decision, archive, target, voidBecause } = request;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const choices = [
    request.withFiles && t('restore.withFiles'),
    request.leaveOut &&
      t('request.leavesOut', { machines: request.leaveOut.join(', ') }),
    request.overrides &&
      t('request.overrides', { codes: request.overrides.join(', ') }),
  ].filter(Boolean);
  const asked: [string, ReactNode][] = [
    [t('request.backup'), formatTime(archive.createdAt)],
    [
      t('request.by'),
      <>
        <Who entityRef={request.requestedBy} />,{' '}
        {formatTime(request.requestedAt)}
      </>,
    ],
    [t('request.why'), request.reason],
  ];
  if (choices.length) asked.push([t('request.choices'), choices.join('; ')]);
  if (decision) {
    asked.push([
      t(
        request.status === 'rejected'
          ? 'request.rejectedBy'
          : 'request.approvedBy',
      ),
      <>
        <Who entityRef={decision.by} />, {formatTime(decision.at)}
        {decision.isEmergency && ` · ${t('request.emergency')}`}
        {decision.reason && `: ${decision.reason}`}
      </>,
    ]);
  }
  asked.push([t('request.expires'), formatTime(request.expiresAt)]);
  return (
    <>
      {voidBecause && (
        <Alert
          status="danger"
          icon
          title={t('request.voidTitle')}
          description={voidBecause.join(' ')}
        />
      )}
      <Facts facts={asked} />
      <details className={styles.facts}>
        <summary>{t('request.frozen')}</summary>
        <Facts
          facts={[
            [t('backup.key'), archive.key],
            [t('backup.sha256'), <code>{archive.sha256}</code>],
            ...(target.resource
              ? ([
                  [t('request.resource'), target.resource],
                  [t('request.server'), target.server ?? '–'],
                ] as [string, ReactNode][])
              : []),
            ...target.machines.map(
              ({ name, role, login, hostKeys }): [string, ReactNode] => [
                name,
                <>
                  {t(`request.role.${role}`)}, <code>{login}</code>
                  {hostKeys.map(key => (
                    <div key={key}>
                      <code>{key}</code>
                    </div>
                  ))}
                </>,
              ],
            ),
          ]}
        />
      </details>
      <Flex direction="column" gap="2">
        <Text as="h3" variant="body-medium" weight="bold">
          {t('request.checks')}
        </Text>
        {check.findings && <Findings findings={check.findings} />}
        {check.fault && <FaultPanel fault={check.fault} />}
        {!check.findings && !check.fault && (
          <Text role="status">{t('request.checking')}</Text>
        )}
      </Flex>
    </>
  );
}
