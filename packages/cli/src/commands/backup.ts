import { backupCluster } from '@cluster-backup/engine';
import { openStore, readConfigurationFile } from '../configuration';
import { conclude, tell, tellCopies, tellFindings } from '../terminal';

export function backup(options: {
  cluster: string;
  config: string;
  store?: string;
  prove?: boolean;
}) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const { key, summary, reservations, copies } = await backupCluster({
      ...configuration.packing(),
      cluster: configuration.cluster(options.cluster),
      folder: configuration.folder(options.cluster),
      stores: configuration.backupStores(options.store).map(store => ({
        id: store.id,
        open: () => openStore(store),
      })),
      proveContents: options.prove,
      signingKey: await configuration.signingKey(),
      progress: tell(),
      signal,
    });
    tellFindings(reservations);
    tellCopies(copies);
    return { key, summary, copies };
  });
}
