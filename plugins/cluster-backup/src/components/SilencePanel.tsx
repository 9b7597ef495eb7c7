import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert } from '@backstage/ui';
import { faultOf, isSilence } from '../faults/faultOf';
import { formatClock } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';

/** Why what is shown is not fresh: the portal is silent, or refuses. */
export function SilencePanel(props: { error: Error; heardAt?: Date }) {
  const { error, heardAt } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  if (!isSilence(error)) {
    return <FaultPanel fault={faultOf(error)} />;
  }
  return (
    <Alert
      role="status"
      status="warning"
      icon
      isPending
      title={t('silence.title')}
      description={
        heardAt
          ? t('silence.withState', { time: formatClock(heardAt.toISOString()) })
          : t('silence.withoutState')
      }
    />
  );
}
