import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Text } from '@backstage/ui';
import {
  KeptData,
  KeptDataReport,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useEffect, useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatBytes } from '../format/bytes';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ReasonedButton } from './ReasonedButton';
import { Section } from './Section';

const DAY_MS = 86_400_000;

/** What one restore kept, on all machines. */
interface KeptRestore {
  operation: string;
  since: string;
  bytes: number;
  machines: string[];
}

/** What restores replaced and kept on the machines; nothing where there is none, or nobody knows. */
export function KeptDataSection(props: {
  clusterRef: string;
  /** Changes when a restore may have ended. */
  version: string;
  /** Why the person may not accept a restore. */
  reasonAgainstAccept?: string;
}) {
  const { clusterRef, version, reasonAgainstAccept } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [report, setReport] = useState<KeptDataReport>();
  const [accepting, setAccepting] = useState<KeptRestore>();

  useEffect(() => {
    let isCurrent = true;
    // That machines do not answer is told by check, backup and restore.
    api.getKeptData(clusterRef).then(
      value => isCurrent && setReport(value),
      () => isCurrent && setReport(undefined),
    );
    return () => {
      isCurrent = false;
    };
  }, [api, clusterRef, version]);

  const restores = report ? byRestore(report.kept) : [];
  if (!report || restores.length === 0) return null;
  return (
    <Section title={t('keptData.title')}>
      <Flex direction="column" gap="3">
        <Text color="secondary">{t('keptData.description')}</Text>
        {restores.map(restore => (
          <Flex
            key={restore.operation}
            align="center"
            justify="between"
            gap="2"
            style={{ flexWrap: 'wrap' }}
          >
            <Text>
              <strong>
                {t('keptData.of', { time: formatTime(restore.since) })}
              </strong>
              {': '}
              {t('keptData.size', {
                size: formatBytes(restore.bytes),
                machines: restore.machines.join(', '),
              })}
              {', '}
              {t('keptData.until', {
                time: formatTime(untilOf(restore, report.keepReplacedDays)),
              })}
            </Text>
            <ReasonedButton
              variant="secondary"
              reason={reasonAgainstAccept}
              onPress={() => setAccepting(restore)}
            >
              {t('keptData.accept')}
            </ReasonedButton>
          </Flex>
        ))}
        {report.unread.map(({ machine, message }) => (
          <Text key={machine} color="secondary">
            {t('keptData.unread', { machine, message })}
          </Text>
        ))}
      </Flex>
      {accepting && (
        <ActionDialog
          title={t('keptData.acceptTitle', {
            time: formatTime(accepting.since),
          })}
          submitLabel={t('keptData.accept')}
          destructive
          busyLabel={t('keptData.removing')}
          onSubmit={() => api.acceptRestore(clusterRef, accepting.operation)}
          onStarted={left => {
            setAccepting(undefined);
            setReport(left);
          }}
          onClose={() => setAccepting(undefined)}
        >
          {() => (
            <Text>
              {t('keptData.question', { size: formatBytes(accepting.bytes) })}
            </Text>
          )}
        </ActionDialog>
      )}
    </Section>
  );
}

function byRestore(kept: KeptData[]): KeptRestore[] {
  const restores = new Map<string, KeptRestore>();
  for (const { operation, since, bytes, machine } of kept) {
    const restore = restores.get(operation) ?? {
      operation,
      since,
      bytes: 0,
      machines: [],
    };
    restore.bytes += bytes;
    if (!restore.machines.includes(machine)) restore.machines.push(machine);
    restores.set(operation, restore);
  }
  return [...restores.values()].sort((a, b) => b.since.localeCompare(a.since));
}

function untilOf({ since }: KeptRestore, days: number): string {
  return new Date(Date.parse(since) + days * DAY_MS).toISOString();
}
