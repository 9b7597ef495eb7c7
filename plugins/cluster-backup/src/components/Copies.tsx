import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Text } from '@backstage/ui';
import { BackupCopy } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { formatAge, formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';

/** Where a backup is, and why it is not where it should be. */
export function Copies(props: { copies: BackupCopy[] }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Flex direction="column" gap="1">
      {props.copies.map(copy => {
        const { store, state, checkedAt, lockedUntil, fault } = copy;
        const found = t(`copies.${state}`, {
          store,
          age: formatAge(checkedAt),
        });
        return (
          <div key={store}>
            <Text>
              {lockedUntil
                ? `${found} · ${t('copies.lockedUntil', {
                    time: formatTime(lockedUntil),
                  })}`
                : found}
            </Text>
            {fault && (
              <Text as="p" color="danger">
                {fault.message} {fault.remedy}
              </Text>
            )}
          </div>
        );
      })}
    </Flex>
  );
}
