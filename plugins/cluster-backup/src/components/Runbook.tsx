import { MarkdownContent } from '@backstage/core-components';
import { useTranslationRef } from '@backstage/frontend-plugin-api';
import { Button, ButtonLink, Flex, Text } from '@backstage/ui';
import {
  RiArrowLeftLine,
  RiDownloadLine,
  RiPrinterLine,
} from '@remixicon/react';
import { createPortal } from 'react-dom';
import { useResolvedPath } from 'react-router-dom';
import { faultOf } from '../faults/faultOf';
import { saveFile } from '../files/saveFile';
import { useRunbook } from '../operations/useRunbook';
import { clusterBackupTranslationRef } from '../translation';
import { FaultPanel } from './FaultPanel';
import { Loading } from './Loading';
import styles from './Runbook.module.css';
import { Section } from './Section';

/** What to do with a cluster where the portal is gone: a page to print and to keep with the identities. */
export function Runbook(props: { clusterRef: string; clusterName: string }) {
  const { clusterRef, clusterName } = props;
  const { runbook, error } = useRunbook(clusterRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const tab = useResolvedPath('..').pathname;
  if (!runbook) {
    return error ? <FaultPanel fault={faultOf(error)} /> : <Loading />;
  }
  const save = () =>
    saveFile(
      new Blob([runbook], { type: 'text/markdown' }),
      `${clusterName}-runbook.md`,
    );
  return (
    <Section
      title={t('runbook.title')}
      actions={
        <Flex gap="2" style={{ flexWrap: 'wrap' }}>
          <ButtonLink
            href={tab}
            variant="tertiary"
            iconStart={<RiArrowLeftLine />}
          >
            {t('runbook.back')}
          </ButtonLink>
          <Button
            variant="secondary"
            iconStart={<RiDownloadLine />}
            onPress={save}
          >
            {t('runbook.save')}
          </Button>
          <Button
            variant="primary"
            iconStart={<RiPrinterLine />}
            onPress={() => window.print()}
          >
            {t('runbook.print')}
          </Button>
        </Flex>
      }
    >
      <Flex direction="column" gap="3">
        <Text color="secondary">{t('runbook.description')}</Text>
        <article className={styles.shown}>
          <MarkdownContent content={runbook} linkTarget="_blank" />
        </article>
      </Flex>
      {createPortal(
        <article className={styles.printed} aria-hidden>
          <MarkdownContent content={runbook} />
        </article>,
        document.body,
      )}
    </Section>
  );
}
