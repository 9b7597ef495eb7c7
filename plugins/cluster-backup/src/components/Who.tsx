import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { useEntityPresentation } from '@backstage/plugin-catalog-react';
import { clusterBackupTranslationRef } from '../translation';

/** A person's name; or that nobody asked, and the portal did what its rules say. */
export function Who(props: { entityRef: string }) {
  const { entityRef } = props;
  const { primaryTitle } = useEntityPresentation(entityRef, {
    defaultKind: 'user',
  });
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <>{entityRef.startsWith('plugin:') ? t('who.itself') : primaryTitle}</>
  );
}
