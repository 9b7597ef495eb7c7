import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Skeleton, VisuallyHidden } from '@backstage/ui';
import { clusterBackupTranslationRef } from '../translation';

export function Loading() {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Flex direction="column" gap="4">
      <VisuallyHidden role="status">{t('common.loading')}</VisuallyHidden>
      <Skeleton height={96} />
      <Skeleton height={240} />
    </Flex>
  );
}
