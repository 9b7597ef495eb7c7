import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Checkbox,
  CheckboxGroup,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
} from '@backstage/ui';
import {
  Backup,
  DifferingObject,
  PutBackResult,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import styles from './PutBackDialog.module.css';

/** Shows what is not as it is in a backup, and puts back the Secrets that a person chooses. */
export function PutBackDialog(props: {
  backup: Backup;
  differing: DifferingObject[];
  /** Of this one archive. */
  fileKey?: string;
  onClose(): void;
}) {
  const { backup, differing, fileKey, onClose } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [chosen, setChosen] = useState<string[]>([]);
  const [missing, setMissing] = useState(false);
  const [result, setResult] = useState<PutBackResult>();
  const title = t('compare.title', { time: formatTime(backup.createdAt) });
  const secrets = differing.filter(({ kind }) => kind === 'Secret');
  const others = differing.filter(({ kind }) => kind !== 'Secret');
  const isMissingAny = differing.some(
    ({ difference }) => difference === 'missing',
  );

  if (result || differing.length === 0) {
    return (
      <Dialog
        isOpen
        width="min(640px, 100vw)"
        onOpenChange={isOpen => !isOpen && onClose()}
      >
        <DialogHeader>{title}</DialogHeader>
        <DialogBody>
          <div role="status">
            {result ? (
              <Outcome result={result} />
            ) : (
              <Text>{t('compare.nothing')}</Text>
            )}
          </div>
        </DialogBody>
        <DialogFooter>
          <Button variant="secondary" onPress={onClose}>
            {t('common.close')}
          </Button>
        </DialogFooter>
      </Dialog>
    );
  }
  return (
    <ActionDialog
      title={title}
      submitLabel={t('compare.putBack')}
      destructive
      isComplete={chosen.length > 0 || missing}
      busyLabel={t('compare.reading')}
      onSubmit={() =>
        api.putBackObjects(backup.id, {
          fileKey,
          missing,
          secrets: secrets
            .filter(secret => chosen.includes(idOf(secret)))
            .map(({ namespace, name, resourceVersion }) => ({
              namespace,
              name,
              resourceVersion,
            })),
        })
      }
      onStarted={setResult}
      onClose={onClose}
    >
      {isBusy => (
        <>
          {secrets.length > 0 && (
            <CheckboxGroup
              label={t('compare.secrets')}
              description={t('compare.secretsDescription')}
              value={chosen}
              onChange={setChosen}
              isDisabled={isBusy}
            >
              {secrets.map(secret => (
                <Checkbox key={idOf(secret)} value={idOf(secret)}>
                  <span className={styles.object}>
                    {idOf(secret)}
                    <Differences object={secret} />
                  </span>
                </Checkbox>
              ))}
            </CheckboxGroup>
          )}
          {others.length > 0 && (
            <div>
              <Text as="h3" variant="body-medium" weight="bold">
                {t('compare.others')}
              </Text>
              <ul className={styles.objects}>
                {others.map(object => (
                  <li key={`${object.kind} ${idOf(object)}`}>
                    {object.kind} {idOf(object)}
                    <Differences object={object} />
                  </li>
                ))}
              </ul>
            </div>
          )}
          {isMissingAny && (
            <Checkbox
              isSelected={missing}
              onChange={setMissing}
              isDisabled={isBusy}
            >
              {t('compare.createMissing')}
            </Checkbox>
          )}
        </>
      )}
    </ActionDialog>
  );
}

function Differences(props: { object: DifferingObject }) {
  const { difference, fields } = props.object;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <span className={styles.fields}>
      {difference === 'missing'
        ? t('compare.missing')
        : fields
            .map(({ name, change }) => t(`compare.${change}`, { name }))
            .join(', ')}
    </span>
  );
}

function Outcome(props: { result: PutBackResult }) {
  const { created, updated, same, failed } = props.result;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const lines: [string, string[]][] = [
    [t('compare.updatedNow'), updated],
    [t('compare.createdNow'), created],
    [t('compare.sameNow'), same],
    [
      t('compare.failedNow'),
      failed.map(({ object, why }) => `${object}: ${why}`),
    ],
  ];
  return (
    <Flex direction="column" gap="2">
      {lines
        .filter(([, objects]) => objects.length > 0)
        .map(([what, objects]) => (
          <div key={what}>
            <Text weight="bold">{what}</Text>
            <ul className={styles.objects}>
              {objects.map(object => (
                <li key={object}>{object}</li>
              ))}
            </ul>
          </div>
        ))}
    </Flex>
  );
}

function idOf({ namespace, name }: DifferingObject): string {
  return `${namespace}/${name}`;
}
