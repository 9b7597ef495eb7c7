import { existsSync } from 'node:fs';
import {
  backupCluster,
  ClusterBackupError,
  NOTHING_CHANGED,
  createSigningKeyFile,
  loadSigningKeyFile,
} from '@cluster-backup/engine';
import { readConfiguration } from '../configuration';
import { conclude, tell, tellFindings } from '../terminal';

export function backup(options: {
  cluster: string;
  config: string;
  store?: string;
}) {
  return conclude(async signal => {
    const configuration = readConfiguration(options.config);
    if (!configuration.recipients.length) {
      throw new ClusterBackupError({
        code: 'configuration-wrong',
        message: 'No recipients are configured: nobody could open the backup.',
        state: NOTHING_CHANGED,
        remedy:
          'Make a key (age-keygen -o key.txt), keep it off this machine, and put its public half into recipients.',
      });
    }
    const { key, summary, reservations } = await backupCluster({
      cluster: configuration.cluster(options.cluster),
      store: await configuration.store(options.store),
      recipients: configuration.recipients,
      signingKey: await signingKeyAt(configuration.signingKeyFile),
      compressionLevel: configuration.compressionLevel,
      progress: tell(),
      signal,
    });
    tellFindings(reservations);
    return { key, summary };
  });
}

/** Made at first use, so that no archive is ever unsigned. */
async function signingKeyAt(file: string) {
  return existsSync(file)
    ? loadSigningKeyFile(file)
    : createSigningKeyFile(file);
}
