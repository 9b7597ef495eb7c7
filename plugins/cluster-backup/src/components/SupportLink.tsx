import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Link } from '@backstage/ui';
import { clusterBackupTranslationRef } from '../translation';

/** Where people find help with a restore. */
export function SupportLink(props: { url: string; title?: string }) {
  const { url, title = url } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <>
      {t('restore.support')}{' '}
      <Link href={url} target="_blank" rel="noopener noreferrer">
        {title}
      </Link>
    </>
  );
}
