import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
} from '@backstage/ui';
import {
  Backup,
  KeptBackup,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { saveFile } from '../files/saveFile';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { BackupFacts } from './BackupFacts';
import { ComparisonDialog } from './ComparisonDialog';
import { Custody } from './Custody';
import { FaultPanel } from './FaultPanel';
import { Held } from './Held';
import { HoldDialog } from './HoldDialog';
import { ReasonedButton } from './ReasonedButton';
import { Reservations } from './Reservations';
import { WithoutPortal } from './WithoutPortal';

/** A backup, with everything known about it. */
export function BackupDialog(props: {
  clusterName: string;
  backup: Backup;
  expireAfterDays: number;
  /** Why a person may not say whether it is kept. */
  reasonAgainstHold?: string;
  onChanged(backup: Backup): void;
  /** Why a person may not open its archive. */
  reasonAgainstCompare?: string;
  /** Why a person may not download it. */
  reasonAgainstDownload?: string;
  /** Why its copies cannot be read again. */
  reasonAgainstVerify?: string;
  onVerify(): void;
  onClose(): void;
}) {
  const { backup, reasonAgainstVerify, onChanged, onVerify, onClose } = props;
  const { hold } = backup;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [isAsking, setAsking] = useState(false);
  const [isComparing, setComparing] = useState(false);
  const [isReleasing, setReleasing] = useState(false);
  const [isDownloading, setDownloading] = useState(false);
  const [failed, setFailed] = useState<KeptBackup['failed']>([]);
  const [error, setError] = useState<Error>();

  const release = async () => {
    setReleasing(true);
    setError(undefined);
    setFailed([]);
    try {
      onChanged(await api.releaseBackup(backup.id));
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setReleasing(false);
    }
  };

  const download = async () => {
    setDownloading(true);
    setError(undefined);
    try {
      saveFile(
        await api.downloadArchive(backup.id),
        backup.key.split('/').at(-1)!,
      );
    } catch (reason) {
      setError(reason as Error);
    } finally {
      setDownloading(false);
    }
  };

  return (
    <Dialog
      isOpen
      width="min(720px, 100vw)"
      onOpenChange={isOpen => !isOpen && onClose()}
    >
      <DialogHeader>
        {t('backups.details', { time: formatTime(backup.createdAt) })}
      </DialogHeader>
      <DialogBody>
        <div role="status">{hold && <Held hold={hold} />}</div>
        <Flex direction="column" gap="4">
          {failed.length > 0 && (
            <Alert
              status="warning"
              icon
              title={t('hold.notIn')}
              description={failed
                .map(({ store, fault }) => `${store}: ${fault.message}`)
                .join(' ')}
            />
          )}
          {error && <FaultPanel fault={faultOf(error)} />}
          {backup.reservations.length > 0 ? (
            <Reservations reservations={backup.reservations} />
          ) : (
            <Text>{t('backup.noReservations')}</Text>
          )}
          <BackupFacts
            backup={backup}
            expireAfterDays={props.expireAfterDays}
          />
          <Custody backupId={backup.id} version={JSON.stringify(backup)} />
          <WithoutPortal clusterName={props.clusterName} backup={backup} />
        </Flex>
      </DialogBody>
      <DialogFooter>
        {backup.gdc && (
          <ReasonedButton
            variant="secondary"
            reason={props.reasonAgainstCompare}
            onPress={() => setComparing(true)}
          >
            {t('compare.action')}
          </ReasonedButton>
        )}
        {backup.isEncrypted && (
          <ReasonedButton
            variant="secondary"
            isPending={isDownloading}
            reason={props.reasonAgainstDownload}
            onPress={download}
          >
            {t('actions.download')}
          </ReasonedButton>
        )}
        <ReasonedButton
          variant="secondary"
          isPending={isReleasing}
          reason={props.reasonAgainstHold}
          onPress={hold ? release : () => setAsking(true)}
        >
          {t(hold ? 'actions.release' : 'actions.keep')}
        </ReasonedButton>
        <ReasonedButton
          variant="secondary"
          reason={reasonAgainstVerify}
          onPress={onVerify}
        >
          {t('actions.verify')}
        </ReasonedButton>
        <Button variant="secondary" onPress={onClose}>
          {t('common.close')}
        </Button>
      </DialogFooter>
      {isComparing && (
        <ComparisonDialog backup={backup} onClose={() => setComparing(false)} />
      )}
      {isAsking && (
        <HoldDialog
          backup={backup}
          onHeld={kept => {
            setAsking(false);
            setFailed(kept.failed);
            onChanged(kept.backup);
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </Dialog>
  );
}
