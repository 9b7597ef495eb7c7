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
import { ReactNode, useState } from 'react';
import { faultOf } from '../faults/faultOf';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';

/** Asks before something is done to a cluster. It cannot be closed while that is being asked of the portal. */
export function ActionDialog<Result>(props: {
  title: string;
  submitLabel: string;
  destructive?: boolean;
  isComplete?: boolean;
  busyLabel?: string;
  /** Undefined when there is more to be put right first. */
  onSubmit(): Promise<Result | undefined>;
  onStarted(result: Result): void;
  onClose(): void;
  children(isBusy: boolean): ReactNode;
}) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error>();

  const submit = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const result = await props.onSubmit();
      if (result) {
        props.onStarted(result);
        return;
      }
    } catch (reason) {
      setError(reason as Error);
    }
    setBusy(false);
  };

  return (
    <Dialog
      isOpen
      width="min(640px, 100vw)"
      isDismissable={!isBusy}
      isKeyboardDismissDisabled={isBusy}
      onOpenChange={isOpen => !isOpen && !isBusy && props.onClose()}
    >
      <DialogHeader>{props.title}</DialogHeader>
      <DialogBody>
        <Flex direction="column" gap="4">
          {props.children(isBusy)}
          {error && <FaultPanel fault={faultOf(error)} />}
          <Text role="status" variant="body-small" color="secondary">
            {isBusy ? props.busyLabel : ''}
          </Text>
        </Flex>
      </DialogBody>
      <DialogFooter>
        <Button
          variant="primary"
          destructive={props.destructive}
          isPending={isBusy}
          isDisabled={props.isComplete === false}
          onPress={submit}
        >
          {props.submitLabel}
        </Button>
        <Button variant="secondary" isDisabled={isBusy} onPress={props.onClose}>
          {t('common.cancel')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
