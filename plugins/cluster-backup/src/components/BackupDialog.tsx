import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
} from '@backstage/ui';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { BackupFacts } from './BackupFacts';
import { ReasonedButton } from './ReasonedButton';
import { Reservations } from './Reservations';

/** A backup, with everything known about it. */
export function BackupDialog(props: {
  backup: Backup;
  /** Why its copies cannot be read again. */
  reasonAgainstVerify?: string;
  onVerify(): void;
  onClose(): void;
}) {
  const { backup, reasonAgainstVerify, onVerify, onClose } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
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
        <Flex direction="column" gap="4">
          {backup.reservations.length > 0 ? (
            <Reservations reservations={backup.reservations} />
          ) : (
            <Text>{t('backup.noReservations')}</Text>
          )}
          <BackupFacts backup={backup} />
        </Flex>
      </DialogBody>
      <DialogFooter>
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
    </Dialog>
  );
}
