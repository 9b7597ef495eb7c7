import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text, TextField } from '@backstage/ui';
import { useFileKey } from '../identity/useFileKey';
import { clusterBackupTranslationRef } from '../translation';
import { IdentityField } from './IdentityField';

/** What a person gives last, when a restore starts: what opens the archive, and the cluster's name. */
export function ConfirmationFields(props: {
  isEncrypted: boolean;
  identity: ReturnType<typeof useFileKey>['field'];
  clusterName: string;
  confirmation: string;
  onConfirm(confirmation: string): void;
  isDisabled: boolean;
}) {
  const { clusterName: cluster, confirmation, isDisabled } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <>
      {props.isEncrypted ? (
        <IdentityField {...props.identity} isDisabled={isDisabled} />
      ) : (
        <Text>{t('restore.unencrypted')}</Text>
      )}
      <TextField
        label={t('restore.confirmation', { cluster })}
        value={confirmation}
        onChange={props.onConfirm}
        isDisabled={isDisabled}
        autoComplete="off"
      />
      {confirmation !== '' && !cluster.startsWith(confirmation) && (
        <Text role="alert" color="danger">
          {t('restore.mismatch')}
        </Text>
      )}
    </>
  );
}
