import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Flex, Text } from '@backstage/ui';
import { Finding } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { clusterBackupTranslationRef } from '../translation';

/** What a check found, or a restore left to do: first what keeps a cluster from being backed up. */
export function Findings(props: { findings: Finding[] }) {
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const of = (level: Finding['level']) =>
    props.findings.filter(finding => finding.level === level);
  const troubles = [...of('refusal'), ...of('reservation')];
  const count = of('ok').length;
  return (
    <Flex direction="column" gap="2">
      {troubles.map(({ level, code, machine, message, remedy }, index) => (
        <Alert
          key={`${code} ${machine} ${index}`}
          status={level === 'refusal' ? 'danger' : 'warning'}
          icon
          title={[machine, message].filter(Boolean).join(': ')}
          description={`${t(`findings.${level}`)} · ${remedy}`}
        />
      ))}
      {troubles.length === 0 ? (
        <Alert status="success" icon title={t('findings.allOk')} />
      ) : (
        count > 0 && (
          <Text color="secondary">{t('findings.okCount', { count })}</Text>
        )
      )}
    </Flex>
  );
}
