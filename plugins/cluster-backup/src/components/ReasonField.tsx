import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { TextAreaField } from '@backstage/ui';
import { clusterBackupTranslationRef } from '../translation';

const MOST = 500;

/** Where a person writes down why. */
export function ReasonField(props: {
  label: string;
  value: string;
  onChange(value: string): void;
  isRequired?: boolean;
  isDisabled: boolean;
}) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <TextAreaField
      {...props}
      description={t('reason.description')}
      maxLength={MOST}
    />
  );
}
