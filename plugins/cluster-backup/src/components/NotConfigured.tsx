import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { clusterBackupTranslationRef } from '../translation';
import styles from './NotConfigured.module.css';
import { Section } from './Section';

/** What an administrator adds for a cluster that the portal does not know how to reach. */
export function NotConfigured(props: { entityRef: string; name: string }) {
  const { entityRef, name } = props;
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  return (
    <Section title={t('notConfigured.title')}>
      <Text as="p">{t('notConfigured.description', { entityRef })}</Text>
      <pre className={styles.config}>
        {`clusterBackup:
  clusters:
    - name: ${name}
      entityRef: ${entityRef}
      layout: kubeadm
      ssh:
        user: ops
        privateKeyFile: id_ed25519
        knownHostsFile: known_hosts
      controlPlane:
        - name: cp-1
          address: 10.0.0.11`}
      </pre>
    </Section>
  );
}
