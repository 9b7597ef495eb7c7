import { useApi } from '@backstage/frontend-plugin-api';
import { useState } from 'react';
import { clusterBackupApiRef } from '../api/clusterBackupApiRef';
import { IdentityError, IdentityProblem } from './decrypterWith';
import { fileKeyOf } from './fileKeyOf';

/** Holds an identity as long as a dialog is open, and opens archives' headers with it. */
export function useFileKey() {
  const api = useApi(clusterBackupApiRef);
  const [identity, setIdentity] = useState('');
  const [problem, setProblem] = useState<IdentityProblem>();

  return {
    field: {
      value: identity,
      onChange: (value: string) => {
        setIdentity(value);
        setProblem(undefined);
      },
      problem,
    },
    /** The archive's file key, or undefined when the identity does not open it, which the field then tells. */
    async open(backupId: string): Promise<string | undefined> {
      setProblem(undefined);
      const header = await api.getBackupHeader(backupId);
      try {
        return await fileKeyOf(header, identity);
      } catch (error) {
        if (error instanceof IdentityError) {
          setProblem(error.problem);
          return undefined;
        }
        throw error;
      }
    },
  };
}
