import { readConfigurationFile } from '../configuration';
import { conclude, tell, tellCopies, tellFindings } from '../terminal';
import { takeBackup } from './takeBackup';

export function backup(options: {
  cluster: string;
  config: string;
  store?: string;
  prove?: boolean;
}) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const { cluster: name, store, prove } = options;
    const { key, summary, reservations, copies } = await takeBackup(
      configuration,
      { name, cluster: configuration.cluster(name), store },
      { proveContents: prove, progress: tell(), signal },
    );
    tellFindings(reservations);
    tellCopies(copies);
    return { key, summary, copies };
  });
}
