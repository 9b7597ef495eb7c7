import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  ButtonLink,
  Cell,
  ColumnConfig,
  Flex,
  Table,
  Text,
  useBreakpoint,
} from '@backstage/ui';
import {
  BackupKeeper,
  ClusterRetention,
  RetainedBackup,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RiArrowLeftLine } from '@remixicon/react';
import { useState } from 'react';
import { useResolvedPath } from 'react-router-dom';
import { faultOf } from '../faults/faultOf';
import { formatAge, formatTime } from '../format/time';
import { useRetention } from '../operations/useRetention';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { Loading } from './Loading';
import { ReasonedButton } from './ReasonedButton';
import { Section } from './Section';

/** How long the backups of a cluster are kept: what keeps each, or when it goes and why. */
export function Retention(props: {
  clusterRef: string;
  /** Why the person may not say that the rule is for what was found. */
  reasonAgainstAccept?: string;
}) {
  const { clusterRef, reasonAgainstAccept } = props;
  const { retention, error, acceptFound } = useRetention(clusterRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { up } = useBreakpoint();
  const [isAccepting, setAccepting] = useState(false);
  const tab = useResolvedPath('..').pathname;
  if (!retention) {
    return error ? <FaultPanel fault={faultOf(error)} /> : <Loading />;
  }

  const accept = async () => {
    setAccepting(true);
    await acceptFound();
    setAccepting(false);
  };
  const whyGone = ({ ended = 'not-in-rule' }: RetainedBackup) =>
    t(`retention.ended.${ended}`);
  const columns: ColumnConfig<RetainedBackup>[] = [
    {
      id: 'when',
      label: t('retention.when'),
      isRowHeader: true,
      minWidth: up('sm') ? 190 : 110,
      cell: ({ createdAt }) => (
        <Cell>
          <Text as="p">{formatAge(createdAt)}</Text>
          <Text as="p" variant="body-small" color="secondary">
            {formatTime(createdAt)}
          </Text>
        </Cell>
      ),
    },
    {
      id: 'why',
      label: t('retention.why'),
      minWidth: 160,
      cell: backup => (
        <Cell>
          {backup.keptBy.length === 0 ? (
            <Text color="warning">{whyGone(backup)}</Text>
          ) : (
            backup.keptBy.map(keeper => (
              <Text as="p" key={keeper.by}>
                {keeperInWords(keeper, t)}
              </Text>
            ))
          )}
        </Cell>
      ),
    },
    {
      id: 'goes',
      label: t('retention.goes'),
      minWidth: up('sm') ? 190 : 110,
      cell: ({ goesAt, keptBy: keepers }) => (
        <Cell>
          <Text color={keepers.length ? 'secondary' : 'warning'}>
            {goesAt ? formatTime(goesAt) : t('retention.stays')}
          </Text>
        </Cell>
      ),
    },
  ];
  return (
    <Section
      title={t('retention.title')}
      actions={
        <ButtonLink
          href={tab}
          variant="tertiary"
          iconStart={<RiArrowLeftLine />}
        >
          {t('runbook.back')}
        </ButtonLink>
      }
    >
      <Flex direction="column" gap="3">
        <Text>{ruleInWords(retention.rule, t)}</Text>
        <Text color="secondary">{t('retention.description')}</Text>
        {error && <FaultPanel fault={faultOf(error)} />}
        {retention.foundCount > 0 && (
          <Alert
            status="info"
            icon
            title={t('retention.found', { count: retention.foundCount })}
            description={t('retention.foundDescription')}
            customActions={
              <ReasonedButton
                size="small"
                variant="secondary"
                isPending={isAccepting}
                reason={reasonAgainstAccept}
                onPress={accept}
              >
                {t('retention.accept')}
              </ReasonedButton>
            }
          />
        )}
        <Table
          columnConfig={columns}
          data={retention.backups}
          pagination={{ type: 'none' }}
          emptyState={t('retention.empty')}
        />
      </Flex>
    </Section>
  );
}

type Translate = ReturnType<
  typeof useTranslationRef<typeof clusterBackupTranslationRef.T>
>['t'];

function keeperInWords(keeper: BackupKeeper, t: Translate): string {
  const { by, period = '', until, hold } = keeper;
  switch (by) {
    case 'hold':
      return t('retention.keptBy.hold', { reason: hold?.reason ?? '' });
    case 'lock':
    case 'before-restore':
    case 'age':
      return t(`retention.keptBy.${by}`, {
        until: until ? formatTime(until) : '',
      });
    case 'daily':
    case 'weekly':
    case 'monthly':
      return t(`retention.keptBy.${by}`, { period });
    default:
      return t(`retention.keptBy.${by}`);
  }
}

const NUMBERS = ['last', 'daily', 'weekly', 'monthly', 'withinDays'] as const;

function ruleInWords(rule: ClusterRetention['rule'], t: Translate): string {
  const numbers = NUMBERS.filter(name => rule[name] > 0).map(name =>
    t(`retention.rule.${name}`, { number: String(rule[name]) }),
  );
  return t('retention.rule.all', {
    numbers: numbers.join(', '),
    days: String(rule.expireAfterDays),
    timeZone: rule.timeZone,
  });
}
