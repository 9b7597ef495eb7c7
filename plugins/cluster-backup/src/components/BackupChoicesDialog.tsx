import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Checkbox, CheckboxGroup, Text, TextField } from '@backstage/ui';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { ReasonField } from './ReasonField';

/** Takes a backup under another name, into some of the stores, or without a quorum. */
export function BackupChoicesDialog(props: {
  clusterRef: string;
  clusterName: string;
  /** Ids of all stores. */
  stores: string[];
  /** That the survivor of a lost quorum is backed up is chosen already. */
  isOfSurvivor: boolean;
  onStarted(operation: Operation): void;
  onClose(): void;
}) {
  const { clusterRef, clusterName: cluster, stores } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [text, setText] = useState('');
  const [chosen, setChosen] = useState(stores);
  const [withoutQuorum, setWithoutQuorum] = useState(props.isOfSurvivor);
  const [why, setWhy] = useState('');
  const reason = why.trim();
  const name = text.trim();

  return (
    <ActionDialog
      title={t('choices.title', { cluster })}
      submitLabel={t('actions.backUp')}
      isComplete={chosen.length > 0 && (reason !== '' || !withoutQuorum)}
      onSubmit={() =>
        api.startBackup(clusterRef, {
          ...(name && { name }),
          ...(chosen.length < stores.length && { stores: chosen }),
          ...(withoutQuorum && { withoutQuorum, reason }),
        })
      }
      onStarted={props.onStarted}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <TextField
            label={t('choices.name')}
            description={t('choices.nameDescription', { cluster })}
            value={text}
            onChange={setText}
            maxLength={170}
            isDisabled={isBusy}
            autoComplete="off"
          />
          {stores.length > 1 && (
            <CheckboxGroup
              label={t('choices.stores')}
              description={t('choices.storesDescription')}
              value={chosen}
              onChange={setChosen}
              isDisabled={isBusy}
            >
              {stores.map(store => (
                <Checkbox key={store} value={store}>
                  {store}
                </Checkbox>
              ))}
            </CheckboxGroup>
          )}
          {chosen.length === 0 && (
            <Text role="alert" color="danger">
              {t('choices.noStore')}
            </Text>
          )}
          <div>
            <Checkbox
              isSelected={withoutQuorum}
              onChange={setWithoutQuorum}
              isDisabled={isBusy}
            >
              {t('choices.withoutQuorum')}
            </Checkbox>
            <Text variant="body-small" color="secondary">
              {t('choices.withoutQuorumDescription')}
            </Text>
          </div>
          {withoutQuorum && (
            <ReasonField
              label={t('reason.ofChoices')}
              value={why}
              onChange={setWhy}
              isRequired
              isDisabled={isBusy}
            />
          )}
        </>
      )}
    </ActionDialog>
  );
}
