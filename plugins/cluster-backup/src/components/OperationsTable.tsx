import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Cell,
  CellText,
  ColumnConfig,
  Table,
  Text,
  useBreakpoint,
} from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { wordFor } from '../operations/wordFor';
import { formatAge, formatDuration, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { OperationDialog } from './OperationDialog';
import { Section } from './Section';
import { Who } from './Who';

const COLORS = {
  queued: 'secondary',
  running: 'info',
  interrupted: 'warning',
  succeeded: 'success',
  failed: 'danger',
  cancelled: 'secondary',
  undone: 'secondary',
} as const;

function colorFor({ status, findings = [] }: Operation) {
  const found = (level: string) => findings.some(f => f.level === level);
  if (status === 'succeeded' && found('refusal')) return 'danger';
  if (status === 'succeeded' && found('reservation')) return 'warning';
  return COLORS[status];
}

/** What was done lately. */
export function OperationsTable(props: { operations: Operation[] }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { up } = useBreakpoint();
  const [opened, setOpened] = useState<Operation>();
  const columns: ColumnConfig<Operation>[] = [
    {
      id: 'what',
      label: t('operations.what'),
      minWidth: 90,
      isRowHeader: true,
      cell: ({ kind }) => <CellText title={t(`operation.kind.${kind}`)} />,
    },
    {
      id: 'outcome',
      label: t('operations.outcome'),
      minWidth: 120,
      cell: operation => (
        <Cell>
          <Text color={colorFor(operation)}>{t(wordFor(operation))}</Text>
          {operation.fault && (
            <Text as="p" variant="body-small" color="secondary" truncate>
              {operation.fault.message}
            </Text>
          )}
        </Cell>
      ),
    },
    {
      id: 'who',
      label: t('operations.who'),
      isHidden: !up('sm'),
      cell: ({ requestedBy }) => (
        <Cell>
          <Text>
            <Who entityRef={requestedBy} />
          </Text>
        </Cell>
      ),
    },
    {
      id: 'when',
      label: t('operations.when'),
      minWidth: up('sm') ? 190 : 110,
      cell: ({ requestedAt }) => (
        <CellText
          title={formatAge(requestedAt)}
          description={up('sm') ? formatTime(requestedAt) : undefined}
        />
      ),
    },
    {
      id: 'duration',
      label: t('operations.duration'),
      isHidden: !up('sm'),
      cell: ({ startedAt, endedAt }) => (
        <CellText
          title={
            startedAt && endedAt
              ? formatDuration(
                  (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
                )
              : '–'
          }
        />
      ),
    },
  ];
  return (
    <Section title={t('operations.title')}>
      <Table
        columnConfig={columns}
        data={props.operations}
        pagination={{ type: 'none' }}
        rowConfig={{ onClick: setOpened }}
        emptyState={t('operations.empty')}
      />
      {opened && (
        <OperationDialog
          operation={opened}
          onClose={() => setOpened(undefined)}
        />
      )}
    </Section>
  );
}
