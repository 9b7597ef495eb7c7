import { backupCluster } from '@cluster-backup/engine';
import { openStore, readConfigurationFile } from '../configuration';
import { conclude, tell, tellFindings } from '../terminal';

export function backup(options: {
  cluster: string;
  config: string;
  store?: string;
}) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const { key, summary, reservations } = await backupCluster({
      recipients: configuration.recipients(),
      cluster: configuration.cluster(options.cluster),
      store: await openStore(configuration, options.store),
      signingKey: await configuration.signingKey(),
      compressionLevel: configuration.compressionLevel,
      progress: tell(),
      signal,
    });
    tellFindings(reservations);
    return { key, summary };
  });
}
