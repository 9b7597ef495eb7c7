import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Box, Text } from '@backstage/ui';
import { useEntityPresentation } from '@backstage/plugin-catalog-react';
import { BackupHold } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';

/** Who keeps a backup, since when and why. */
export function Held(props: { hold: BackupHold }) {
  const { by, at, reason } = props.hold;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const { primaryTitle } = useEntityPresentation(by, { defaultKind: 'user' });
  return (
    <Box pb="4">
      <Text as="p" style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-line' }}>
        {t('hold.held', { who: primaryTitle, time: formatTime(at), reason })}
      </Text>
    </Box>
  );
}
