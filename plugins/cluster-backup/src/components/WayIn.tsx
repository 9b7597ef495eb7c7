import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Flex, Text } from '@backstage/ui';
import { RiDownloadLine } from '@remixicon/react';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { faultOf } from '../faults/faultOf';
import { saveFile } from '../files/saveFile';
import { formatTime } from '../format/time';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { ReasonedButton } from './ReasonedButton';
import { Section } from './Section';

/** A kubeconfig for who has just restored a cluster: saved as a file, and kept by nothing here. */
export function WayIn(props: {
  clusterRef: string;
  clusterName: string;
  /** Why the person may not have one. */
  reasonAgainst?: string;
}) {
  const { clusterRef, clusterName, reasonAgainst } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [isAsking, setAsking] = useState(false);
  const [expiresAt, setExpiresAt] = useState<string>();
  const [refusal, setRefusal] = useState<Error>();

  const ask = async () => {
    setAsking(true);
    setRefusal(undefined);
    try {
      const minted = await api.mintKubeconfig(clusterRef);
      const content = new Blob([minted.kubeconfig], {
        type: 'application/yaml',
      });
      saveFile(content, `${clusterName}-kubeconfig.yaml`);
      setExpiresAt(minted.expiresAt);
    } catch (error) {
      setRefusal(error as Error);
    } finally {
      setAsking(false);
    }
  };

  return (
    <Section title={t('wayIn.title')}>
      <Flex direction="column" gap="3">
        <Text color="secondary">{t('wayIn.description')}</Text>
        <Flex align="center" gap="3" style={{ flexWrap: 'wrap' }}>
          <ReasonedButton
            variant="secondary"
            iconStart={<RiDownloadLine />}
            isPending={isAsking}
            reason={reasonAgainst}
            onPress={ask}
          >
            {t('wayIn.action')}
          </ReasonedButton>
          {expiresAt && (
            <Text role="status">
              {t('wayIn.saved', { time: formatTime(expiresAt) })}
            </Text>
          )}
        </Flex>
        {refusal && <FaultPanel fault={faultOf(refusal)} />}
      </Flex>
    </Section>
  );
}
