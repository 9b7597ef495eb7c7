import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Box } from '@backstage/ui';
import { ReactNode } from 'react';
import { ToldFault } from '../faults/faultOf';
import { clusterBackupTranslationRef } from '../translation';
import { Facts } from './Facts';

/** What went wrong, in the words of whoever met it. */
export function FaultPanel(props: { fault: ToldFault; actions?: ReactNode }) {
  const { message, state, remedy, code } = props.fault;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const facts = (
    [
      [t('fault.state'), state],
      [t('fault.remedy'), remedy],
      [t('fault.code'), code && <code>{code}</code>],
    ] as const
  ).filter(([, value]) => value);
  return (
    <Alert
      role="alert"
      status="danger"
      icon
      title={message}
      description={
        <Box pt="2">
          <Facts facts={facts.map(([name, value]) => [name, value])} />
        </Box>
      }
      customActions={props.actions}
    />
  );
}
