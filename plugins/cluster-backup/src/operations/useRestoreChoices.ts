import { RestoreChoices } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { useState } from 'react';

/** What a person chooses for a restore while a dialog is open, and why. */
export function useRestoreChoices() {
  const [withFiles, setWithFiles] = useState(false);
  const [deadMachines, setDeadMachines] = useState('');
  const [overrides, setOverrides] = useState<string[]>([]);
  const [text, setReason] = useState('');
  const leaveOut = deadMachines.split(/[\s,]+/).filter(Boolean);
  const choices: RestoreChoices = {
    ...(withFiles && { withFiles }),
    ...(leaveOut.length > 0 && { leaveOut }),
    ...(overrides.length > 0 && { overrides }),
  };
  return {
    choices,
    hasAny: Object.keys(choices).length > 0,
    reason: text.trim(),
    fields: {
      ...{ withFiles, setWithFiles, deadMachines, setDeadMachines },
      ...{ overrides, setOverrides, text, setReason },
    },
  };
}

export type RestoreChoiceFields = ReturnType<
  typeof useRestoreChoices
>['fields'];
