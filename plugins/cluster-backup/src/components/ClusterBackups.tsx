import { parseEntityRef } from '@backstage/catalog-model';
import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex } from '@backstage/ui';
import {
  Backup,
  clusterBackupApprovePermission,
  clusterBackupCreatePermission,
  clusterBackupManagePermission,
  clusterBackupRestorePermission,
  clusterBackupRevealPermission,
  ClusterOverview,
  Operation,
  OperationKind,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import {
  RiEqualizerLine,
  RiKey2Line,
  RiSafe2Line,
  RiStethoscopeLine,
} from '@remixicon/react';
import { useEffect, useState } from 'react';
import { Route, Routes } from 'react-router-dom';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf, isDenial } from '../faults/faultOf';
import { isFramed } from '../framing/isFramed';
import { hasEnded } from '../operations/hasEnded';
import { useClusterOverview } from '../operations/useClusterOverview';
import { useOperation } from '../operations/useOperation';
import { clusterBackupTranslationRef } from '../translation';
import { BackupChoicesDialog } from './BackupChoicesDialog';
import { BackupsTable } from './BackupsTable';
import { FaultPanel } from './FaultPanel';
import { KeptDataSection } from './KeptDataSection';
import { Loading } from './Loading';
import { NotConfigured } from './NotConfigured';
import { OperationPanel } from './OperationPanel';
import { OperationsTable } from './OperationsTable';
import { OwnerChange } from './OwnerChange';
import { Protection } from './Protection';
import { ProveDialog } from './ProveDialog';
import { ReadDenied } from './ReadDenied';
import { ReasonedButton } from './ReasonedButton';
import { RelatedClusters } from './RelatedClusters';
import { RequestRestoreDialog } from './RequestRestoreDialog';
import { RestoreDialog } from './RestoreDialog';
import { RestoreRequests } from './RestoreRequests';
import { Retention } from './Retention';
import { Runbook } from './Runbook';
import { SilencePanel } from './SilencePanel';
import { WayIn } from './WayIn';

/** The backups of a cluster, what is being done to it and what can be done. */
export function ClusterBackups(props: { clusterRef: string }) {
  const { clusterRef } = props;
  const { overview, error, heardAt, refresh } = useClusterOverview(clusterRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  if (error && isDenial(error)) {
    return <ReadDenied />;
  }
  if (!overview) {
    return error ? <SilencePanel error={error} /> : <Loading />;
  }
  if (overview.name === undefined) {
    return (
      <NotConfigured
        entityRef={clusterRef}
        name={parseEntityRef(clusterRef).name}
      />
    );
  }
  const { name } = overview;
  return (
    <Routes>
      <Route
        path="runbook"
        element={<Runbook clusterRef={clusterRef} clusterName={name} />}
      />
      <Route
        path="retention"
        element={
          <Retention
            clusterRef={clusterRef}
            reasonAgainstAccept={denialIn(overview, 'manage', t)}
          />
        }
      />
      <Route
        path="*"
        element={
          <ConfiguredCluster
            overview={overview}
            clusterName={name}
            error={error}
            heardAt={heardAt}
            refresh={refresh}
          />
        }
      />
    </Routes>
  );
}

function ConfiguredCluster(props: {
  overview: ClusterOverview;
  clusterName: string;
  /** Why the overview is not fresh. */
  error?: Error;
  heardAt?: Date;
  refresh(): void;
}) {
  const { overview, clusterName, error, heardAt, refresh } = props;
  const { clusterRef, lastBackup, ownership, recent, recipients } = overview;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [shown, setShown] = useState<Operation | undefined>(() =>
    recent[0]?.status === 'failed' ? recent[0] : undefined,
  );
  const [starting, setStarting] = useState<OperationKind>();
  const [refusal, setRefusal] = useState<Error>();
  const [restoring, setRestoring] = useState<Backup>();
  const [isProving, setProving] = useState(false);
  const [choosing, setChoosing] = useState<'options' | 'survivor'>();

  const current = overview.current;
  const followed = useOperation(current?.id ?? shown?.id);
  const operation = followed.operation ?? current ?? shown;
  const active = operation && !hasEnded(operation) ? operation : undefined;

  useEffect(() => {
    if (current) setShown(current);
  }, [current]);

  const status = followed.operation?.status;
  const isHeard = !followed.error;
  useEffect(() => {
    if (status && isHeard) refresh();
  }, [status, isHeard, refresh]);

  const follow = (changed: Operation) => {
    setShown(changed);
    setRefusal(undefined);
    followed.refresh();
    refresh();
  };

  const start = async (kind: OperationKind, ask: () => Promise<Operation>) => {
    setStarting(kind);
    setRefusal(undefined);
    try {
      follow(await ask());
    } catch (reason) {
      setRefusal(reason as Error);
    } finally {
      setStarting(undefined);
    }
  };

  const denialOf = (right: keyof ClusterOverview['allowed']) =>
    denialIn(overview, right, t);
  const isWriting = active?.kind === 'backup' || active?.kind === 'restore';
  const busy = isWriting
    ? t(`busy.${active.status as 'queued' | 'running' | 'interrupted'}`)
    : undefined;
  const runsPortal = overview.runsPortal ? t('restore.runsPortal') : undefined;
  const againstBackup = denialOf('create') ?? busy ?? overview.fault?.message;

  const ofRestore = {
    clusterName,
    overview,
    reasonAgainstBackup: againstBackup,
    onBackUpSurvivor: () => {
      setRestoring(undefined);
      setChoosing('survivor');
    },
    onClose: () => setRestoring(undefined),
  };

  return (
    <Flex direction="column" gap="4">
      {error && !followed.error && (
        <SilencePanel error={error} heardAt={heardAt} />
      )}
      <Protection
        lastBackup={lastBackup}
        nextBackupAt={overview.nextBackupAt}
        protection={overview.protection}
        actions={
          <>
            <ReasonedButton
              variant="primary"
              iconStart={<RiSafe2Line />}
              isPending={starting === 'backup'}
              reason={againstBackup}
              onPress={() => start('backup', () => api.startBackup(clusterRef))}
            >
              {t('actions.backUp')}
            </ReasonedButton>
            <ReasonedButton
              variant="secondary"
              iconStart={<RiEqualizerLine />}
              reason={againstBackup}
              onPress={() => setChoosing('options')}
            >
              {t('actions.backUpWithOptions')}
            </ReasonedButton>
            <ReasonedButton
              variant="secondary"
              iconStart={<RiStethoscopeLine />}
              isPending={starting === 'check'}
              reason={againstBackup}
              onPress={() => start('check', () => api.startCheck(clusterRef))}
            >
              {t('actions.check')}
            </ReasonedButton>
            {lastBackup && recipients.some(({ isProven }) => !isProven) && (
              <ReasonedButton
                variant="secondary"
                iconStart={<RiKey2Line />}
                reason={denialOf('create')}
                onPress={() => setProving(true)}
              >
                {t('prove.action')}
              </ReasonedButton>
            )}
          </>
        }
      />
      {refusal && <FaultPanel fault={faultOf(refusal)} />}
      {overview.fault && <FaultPanel fault={overview.fault} />}
      {ownership.next && (
        <OwnerChange owners={ownership.owners} next={ownership.next} />
      )}
      {operation && (
        <OperationPanel
          key={operation.id}
          operation={operation}
          followed={followed}
          clusterName={clusterName}
          denial={denialOf(operation.kind === 'restore' ? 'restore' : 'create')}
          onChanged={follow}
          onDismiss={() => setShown(undefined)}
        />
      )}
      <RestoreRequests
        overview={overview}
        clusterName={clusterName}
        reasonAgainstApprove={denialOf('approve')}
        reasonAgainstStart={denialOf('restore') ?? busy}
        onChanged={refresh}
        onStarted={follow}
      />
      <BackupsTable
        clusterRef={clusterRef}
        clusterName={clusterName}
        needsSecondPerson={overview.needsSecondPerson}
        expireAfterDays={overview.expireAfterDays}
        version={versionOf(overview)}
        reasonAgainstRestore={denialOf('restore') ?? runsPortal ?? busy}
        onRestore={setRestoring}
        reasonAgainstVerify={denialOf('create')}
        onVerify={({ id }) => start('verify', () => api.verifyBackup(id))}
        reasonAgainstHold={denialOf('manage')}
        reasonAgainstCompare={denialOf('restore')}
        reasonAgainstDownload={denialOf('reveal')}
      />
      <KeptDataSection
        clusterRef={clusterRef}
        version={versionOf(overview)}
        reasonAgainstAccept={denialOf('restore') ?? busy}
      />
      {recent.some(isRestored) && (
        <WayIn
          clusterRef={clusterRef}
          clusterName={clusterName}
          reasonAgainst={denialOf('reveal')}
        />
      )}
      <OperationsTable operations={recent} />
      <RelatedClusters />
      {isProving && (
        <ProveDialog
          clusterRef={clusterRef}
          recipients={recipients.filter(({ isProven }) => !isProven)}
          onProven={() => {
            setProving(false);
            refresh();
          }}
          onClose={() => setProving(false)}
        />
      )}
      {choosing && (
        <BackupChoicesDialog
          clusterRef={clusterRef}
          clusterName={clusterName}
          stores={overview.stores}
          isOfSurvivor={choosing === 'survivor'}
          onStarted={started => {
            setChoosing(undefined);
            follow(started);
          }}
          onClose={() => setChoosing(undefined)}
        />
      )}
      {restoring && overview.needsSecondPerson && (
        <RequestRestoreDialog
          {...ofRestore}
          backup={restoring}
          onRequested={() => {
            setRestoring(undefined);
            refresh();
          }}
        />
      )}
      {restoring && !overview.needsSecondPerson && (
        <RestoreDialog
          {...ofRestore}
          backup={restoring}
          onStarted={started => {
            setRestoring(undefined);
            follow(started);
          }}
        />
      )}
    </Flex>
  );
}

/** Why somebody may not do something with the cluster. */
function denialIn(
  overview: ClusterOverview,
  right: keyof ClusterOverview['allowed'],
  t: Translate,
): string | undefined {
  const { allowed, reason } = overview.allowed[right];
  const permission = {
    create: clusterBackupCreatePermission,
    restore: clusterBackupRestorePermission,
    approve: clusterBackupApprovePermission,
    approveAlone: clusterBackupApprovePermission,
    manage: clusterBackupManagePermission,
    reveal: clusterBackupRevealPermission,
  }[right].name;
  if (!allowed) return reason ?? t('denied.action', { permission });
  return right !== 'create' && isFramed() ? t('denied.framed') : undefined;
}

type Translate = ReturnType<
  typeof useTranslationRef<typeof clusterBackupTranslationRef.T>
>['t'];

function isRestored({ kind, status }: Operation): boolean {
  return kind === 'restore' && status === 'succeeded';
}

/** Backups change when operations end, whoever asked for them. */
function versionOf({ lastBackup, recent }: ClusterOverview): string {
  const ended = recent.filter(hasEnded).map(({ id }) => id);
  return [lastBackup?.id, ...ended].join(' ');
}
