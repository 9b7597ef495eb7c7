import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Badge,
  Button,
  ButtonLink,
  Cell,
  CellText,
  ColumnConfig,
  Flex,
  Table,
  Text,
  useBreakpoint,
} from '@backstage/ui';
import {
  Backup,
  BackupCopy,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RiBook2Line, RiHourglassLine } from '@remixicon/react';
import { useState } from 'react';
import { useResolvedPath } from 'react-router-dom';
import { faultOf } from '../faults/faultOf';
import { formatBytes } from '../format/bytes';
import { formatAge, formatTime } from '../format/time';
import { goodCopies } from '../operations/goodCopies';
import { useBackups } from '../operations/useBackups';
import { clusterBackupTranslationRef } from '../translation';
import { BackupDialog } from './BackupDialog';
import { versionsOf } from './BackupFacts';
import { FaultPanel } from './FaultPanel';
import { ReasonedButton } from './ReasonedButton';
import { Section } from './Section';

/** A cluster's backups, newest first. */
export function BackupsTable(props: {
  clusterRef: string;
  clusterName: string;
  expireAfterDays: number;
  /** Another one when anything may be different with the backups. */
  version: string;
  /** Why none can be restored now. */
  reasonAgainstRestore?: string;
  onRestore(backup: Backup): void;
  /** A restore takes a second person: it is requested first. */
  needsSecondPerson: boolean;
  /** Why none can be verified now. */
  reasonAgainstVerify?: string;
  onVerify(backup: Backup): void;
  /** Why a person may not open archives. */
  reasonAgainstCompare?: string;
  /** Why a person may not download an archive. */
  reasonAgainstDownload?: string;
  /** Why a person may not say which are kept. */
  reasonAgainstHold?: string;
}) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { up } = useBreakpoint();
  const isNarrow = !up('xs');
  const requestAction = isNarrow ? 'request.shortAction' : 'request.action';
  const [opened, setOpened] = useState<Backup>();
  const runbook = useResolvedPath('runbook').pathname;
  const retention = useResolvedPath('retention').pathname;
  const { backups, error, isLoading, loadOlder, reload, replace } = useBackups(
    props.clusterRef,
    props.version,
  );
  /** What is to be said of copies when not all are good. */
  const lacking = (copies: BackupCopy[]) => {
    const good = goodCopies(copies);
    return good < copies.length
      ? t('copies.of', { good: `${good}`, all: `${copies.length}` })
      : undefined;
  };
  const columns: ColumnConfig<Backup>[] = [
    {
      id: 'time',
      label: t('backups.time'),
      isRowHeader: true,
      minWidth: 200,
      cell: ({
        createdAt,
        copies,
        isBeforeRestore,
        hold,
        reservations: { length: count },
      }) => (
        <CellText
          title={formatTime(createdAt)}
          description={[
            hold && t('backups.kept'),
            isNarrow && lacking(copies),
            isBeforeRestore ? t('backups.beforeRestore') : formatAge(createdAt),
            isNarrow && count > 0 && t('protection.reservations', { count }),
          ]
            .filter(Boolean)
            .join(' · ')}
        />
      ),
    },
    {
      id: 'size',
      label: t('backups.size'),
      isHidden: !up('sm'),
      cell: ({ size }) => <CellText title={formatBytes(size)} />,
    },
    {
      id: 'revision',
      label: t('backups.revision'),
      isHidden: !up('md'),
      cell: ({ revision }) => <CellText title={revision.toLocaleString()} />,
    },
    {
      id: 'versions',
      label: t('backups.versions'),
      minWidth: 190,
      isHidden: !up('md'),
      cell: backup => {
        const [title, description] = versionsOf(backup).map(([key, version]) =>
          t(`backups.${key}`, { version }),
        );
        return <CellText title={title} description={description} />;
      },
    },
    {
      id: 'copies',
      label: t('backup.copies'),
      minWidth: 130,
      isHidden:
        isNarrow ||
        !backups?.some(({ copies }) => copies.length > 1 || lacking(copies)),
      cell: ({ copies }) => (
        <Cell>
          {lacking(copies) ? (
            <Badge>{lacking(copies)}</Badge>
          ) : (
            <Text>{copies.length}</Text>
          )}
        </Cell>
      ),
    },
    {
      id: 'reservations',
      label: t('backups.reservations'),
      minWidth: 130,
      isHidden: isNarrow,
      cell: ({ reservations: { length: count } }) => (
        <Cell>
          {count > 0 ? (
            <Badge>{t('protection.reservations', { count })}</Badge>
          ) : (
            <Text color="secondary">{t('backups.none')}</Text>
          )}
        </Cell>
      ),
    },
    {
      id: 'actions',
      label: t('backups.actions'),
      minWidth: props.needsSecondPerson ? 150 : 110,
      cell: backup => (
        <Cell>
          <ReasonedButton
            size="small"
            variant="secondary"
            reason={props.reasonAgainstRestore}
            aria-label={t(
              props.needsSecondPerson
                ? 'request.actionFor'
                : 'actions.restoreBackupOf',
              { time: formatTime(backup.createdAt) },
            )}
            onPress={() => props.onRestore(backup)}
          >
            {t(props.needsSecondPerson ? requestAction : 'actions.restore')}
          </ReasonedButton>
        </Cell>
      ),
    },
  ];
  return (
    <Section
      title={t('backups.title')}
      actions={
        <Flex gap="2" style={{ flexWrap: 'wrap' }}>
          <ButtonLink
            href={retention}
            size="small"
            variant="tertiary"
            iconStart={<RiHourglassLine />}
          >
            {t('retention.action')}
          </ButtonLink>
          <ButtonLink
            href={runbook}
            size="small"
            variant="tertiary"
            iconStart={<RiBook2Line />}
          >
            {t('runbook.action')}
          </ButtonLink>
        </Flex>
      }
    >
      <Flex direction="column" gap="3">
        {error && (
          <FaultPanel
            fault={faultOf(error)}
            actions={
              <Button size="small" variant="secondary" onPress={reload}>
                {t('common.tryAgain')}
              </Button>
            }
          />
        )}
        <Table
          columnConfig={columns}
          data={backups}
          isPending={!backups && !error}
          pagination={{ type: 'none' }}
          rowConfig={{ onClick: setOpened }}
          emptyState={
            <Flex direction="column" gap="1">
              <Text>{t('backups.empty')}</Text>
              <Text color="secondary">{t('backups.emptyDescription')}</Text>
            </Flex>
          }
        />
        {loadOlder && (
          <div>
            <Button
              variant="secondary"
              size="small"
              isPending={isLoading}
              onPress={loadOlder}
            >
              {t('backups.older')}
            </Button>
          </div>
        )}
      </Flex>
      {opened && (
        <BackupDialog
          clusterName={props.clusterName}
          expireAfterDays={props.expireAfterDays}
          backup={opened}
          reasonAgainstHold={props.reasonAgainstHold}
          reasonAgainstCompare={props.reasonAgainstCompare}
          reasonAgainstDownload={props.reasonAgainstDownload}
          onChanged={changed => {
            setOpened(changed);
            replace(changed);
          }}
          reasonAgainstVerify={props.reasonAgainstVerify}
          onVerify={() => {
            setOpened(undefined);
            props.onVerify(opened);
          }}
          onClose={() => setOpened(undefined)}
        />
      )}
    </Section>
  );
}
