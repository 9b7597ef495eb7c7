import { generateKeyPairSync } from 'node:crypto';
import {
  ArchiveKeys,
  Configuration,
  readConfiguration,
  recipientsOf,
} from '@cluster-backup/engine';

/**
 * Backups into a folder, for whoever holds these keys, signed with a key that is kept nowhere: a restore from one of
 * them asks for its digest.
 */
export async function storingBeside(
  folder: string,
  cluster: string,
  keys: ArchiveKeys | undefined,
): Promise<Configuration> {
  const recipients =
    keys && 'identities' in keys ? await recipientsOf(keys.identities) : [];
  const configuration = readConfiguration(
    {
      recipients,
      stores: [{ id: folder, filesystem: { path: '.' } }],
      clusters: [{ name: cluster }],
    },
    { folder, origin: 'of the command line' },
  );
  const { privateKey } = generateKeyPairSync('ed25519');
  return { ...configuration, signingKey: async () => privateKey };
}
