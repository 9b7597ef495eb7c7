import { DescribedGcpKey } from '../archive';
import { gcpKeysOf } from '../gdc';
import { Check } from './Check';

/** Whether the keys of now are accepted is asked by another check; those of the archive are the same, or of the past. */
export const archiveGcpKeys: Check = {
  id: 'archive-gcp-keys',
  title: 'The GCP keys of the last backup are those of the cluster',
  async run({ cluster, lastBackup }) {
    const { gdc } = cluster.access;
    if (!gdc || !lastBackup?.keys) return [];
    const present = gcpKeysOf(gdc);
    return lastBackup.keys.gcp.flatMap(archived => {
      const now = present.find(({ secret }) => secret === archived.secret);
      if (!now || isSame(archived, now)) return [];
      return [
        {
          check: this.id,
          level: 'reservation',
          code: 'archive-gcp-key-replaced',
          message: `The last backup has ${nameOf(archived)} in Secret ${
            archived.secret
          }, where the cluster has ${nameOf(now)} by now.`,
          remedy:
            'Back up again. Do not delete the old key at Google before: a cluster that is restored from the last backup connects with it.',
        },
      ];
    });
  },
};

function isSame(one: DescribedGcpKey, other: DescribedGcpKey): boolean {
  return one.account === other.account && one.keyId === other.keyId;
}

function nameOf({ account, keyId }: DescribedGcpKey): string {
  return keyId ? `the key ${keyId} of ${account}` : `a key of ${account}`;
}
