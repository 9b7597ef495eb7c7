import { useApi, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Text } from '@backstage/ui';
import { RecipientProof } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { answerTo } from '../identity/answerTo';
import { IdentityError, IdentityProblem } from '../identity/decrypterWith';
import { clusterBackupTranslationRef } from '../translation';
import { ActionDialog } from './ActionDialog';
import { IdentityField } from './IdentityField';

/** A person shows that the identity which opens the backups is not lost. It does not leave the browser. */
export function ProveDialog(props: {
  clusterRef: string;
  recipients: RecipientProof[];
  onProven(): void;
  onClose(): void;
}) {
  const { clusterRef, recipients } = props;
  const api = useApi(clusterBackupApiRef);
  const { t } = useTranslationRef(clusterBackupTranslationRef);
  const [identity, setIdentity] = useState('');
  const [problem, setProblem] = useState<IdentityProblem>();

  /** A file may hold several identities; each recipient that one of them belongs to is proven. */
  const prove = async () => {
    setProblem(undefined);
    let first: IdentityProblem | undefined;
    let isAnyProven = false;
    for (const { recipient } of recipients) {
      const { sealed, expiresAt } = await api.challengeRecipient(
        clusterRef,
        recipient,
      );
      try {
        const answer = await answerTo(sealed, identity);
        await api.proveRecipient(clusterRef, { recipient, expiresAt, answer });
        isAnyProven = true;
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error;
        first ??= error.problem;
      }
    }
    if (isAnyProven) return true;
    setProblem(first === 'noMatch' ? 'noRecipient' : first);
    return undefined;
  };

  return (
    <ActionDialog
      title={t('prove.title')}
      submitLabel={t('prove.submit')}
      isComplete={identity.trim() !== ''}
      onSubmit={prove}
      onStarted={props.onProven}
      onClose={props.onClose}
    >
      {isBusy => (
        <>
          <Text>{t('prove.description')}</Text>
          <IdentityField
            value={identity}
            onChange={value => {
              setIdentity(value);
              setProblem(undefined);
            }}
            problem={problem}
            isDisabled={isBusy}
          />
        </>
      )}
    </ActionDialog>
  );
}
