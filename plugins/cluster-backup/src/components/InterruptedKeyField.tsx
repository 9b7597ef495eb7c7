import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { faultOf } from '../faults/faultOf';
import { useInterruptedKey } from '../identity/useInterruptedKey';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { IdentityField } from './IdentityField';

/** Asks for what opens the archive of an interrupted restore, where it is or may be needed. */
export function InterruptedKeyField(props: {
  archiveKey: ReturnType<typeof useInterruptedKey>;
  isDisabled: boolean;
}) {
  const { field, isNeeded, error, isLoading } = props.archiveKey;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  if (error) {
    return <FaultPanel fault={faultOf(error)} />;
  }
  if (isLoading) {
    return <Text role="status">{t('common.loading')}</Text>;
  }
  return (
    field && (
      <>
        <Text>
          {t(
            isNeeded
              ? 'interrupted.needsIdentity'
              : 'interrupted.mayNeedIdentity',
          )}
        </Text>
        <IdentityField {...field} isDisabled={props.isDisabled} />
      </>
    )
  );
}
