import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  BackupStore,
  Configuration,
  configurationWrong,
  openConfiguredFolder,
  readConfiguration,
  StoreConfiguration,
} from '@cluster-backup/engine';
import { parse } from 'yaml';

/** The configuration file where there is one; a file of an archive brings everything else. */
export function readConfigurationFileIfAny(file: string): Configuration {
  return existsSync(file)
    ? readConfigurationFile(file)
    : readConfiguration({}, { folder: '.', origin: file });
}

/**
 * Reads a configuration file; paths in it are relative to its folder.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function readConfigurationFile(file: string): Configuration {
  return readConfiguration(parseSection(file), {
    folder: dirname(resolve(file)),
    origin: file,
  });
}

/** The command opens folders only. */
export async function openStore(
  store: StoreConfiguration,
): Promise<BackupStore> {
  if (store.type !== 'filesystem') {
    throw configurationWrong(
      `of store ${store.id}`,
      `the command does not know the type ${store.type}`,
    );
  }
  return openConfiguredFolder(store);
}

function parseSection(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'))?.clusterBackup;
  } catch (error) {
    throw configurationWrong(file, (error as Error).message);
  }
}
