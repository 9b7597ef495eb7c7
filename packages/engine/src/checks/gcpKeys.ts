import { askAboutGcpKeys, GcpKeyAnswer } from '../gdc';
import { Check, Finding } from './Check';

/** A restored cluster uses the keys of the day of its backup. */
export const gcpKeys: Check = {
  id: 'gcp-keys',
  title: 'The GCP keys are still accepted',
  async run({ cluster, signal }) {
    const { gdc } = cluster.access;
    if (!gdc) return [];
    return (await askAboutGcpKeys(gdc, signal)).flatMap(findings);
  },
};

function findings({ secret, account, answer, why }: GcpKeyAnswer): Finding[] {
  const told = (code: string, message: string, remedy: string): Finding[] => [
    { check: gcpKeys.id, level: 'reservation', code, message, remedy },
  ];
  switch (answer) {
    case 'accepted':
      return [];
    case 'refused':
      return told(
        'gcp-key-refused',
        `Google does not accept the key of ${account} in Secret ${secret} any more: ${why}`,
        'Give the cluster a new key (bmctl update credentials), then take another backup. Backups with the old key restore a cluster whose connection to Google is broken until that is done again.',
      );
    case 'unasked':
      return told(
        'gcp-key-unasked',
        `Whether the key of ${account} in Secret ${secret} is still accepted could not be asked: ${why}`,
        'Look whether the token service can be reached from here.',
      );
    case 'missing':
      return told(
        'gcp-key-missing',
        `There is no Secret ${secret}.`,
        'Where the keys have other Secrets, name them in secrets.gcpKeys of this cluster.',
      );
    default:
      return told(
        'gcp-key-unreadable',
        `The Secret ${secret} holds no key of a Google service account.`,
        'Where the keys have other Secrets, name them in secrets.gcpKeys of this cluster.',
      );
  }
}
