import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Checkbox, CheckboxGroup, Flex, Text, TextField } from '@backstage/ui';
import { overridableRefusals } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { RestoreChoiceFields } from '../operations/useRestoreChoices';
import { clusterBackupTranslationRef } from '../translation';
import styles from './RestoreDialog.module.css';

/** What a restore does not do by itself. */
export function RestoreChoicesFields(props: {
  fields: RestoreChoiceFields;
  isDisabled: boolean;
}) {
  const { fields, isDisabled } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <>
      <details className={styles.facts}>
        <summary>{t('restore.more')}</summary>
        <Flex direction="column" gap="3" mt="2">
          <div>
            <Checkbox
              isSelected={fields.withFiles}
              onChange={fields.setWithFiles}
              isDisabled={isDisabled}
            >
              {t('restore.withFiles')}
            </Checkbox>
            <Text variant="body-small" color="secondary">
              {t('restore.withFilesDescription')}
            </Text>
          </div>
          <TextField
            label={t('restore.leaveOut')}
            description={t('restore.leaveOutDescription')}
            value={fields.deadMachines}
            onChange={fields.setDeadMachines}
            isDisabled={isDisabled}
            autoComplete="off"
          />
        </Flex>
      </details>
      <details className={styles.facts}>
        <summary>{t('override.title')}</summary>
        <CheckboxGroup
          label={t('override.label')}
          description={t('override.description')}
          value={fields.overrides}
          onChange={fields.setOverrides}
          isDisabled={isDisabled}
        >
          {overridableRefusals.map(code => (
            <Checkbox key={code} value={code}>
              {t(`override.${code}`)}
            </Checkbox>
          ))}
        </CheckboxGroup>
      </details>
    </>
  );
}
