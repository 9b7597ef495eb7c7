import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  BackupStore,
  configurationWrong,
  openConfiguredFolder,
  StoreConfiguration,
} from '@cluster-backup/engine';
import { parse } from 'yaml';

/** Where a configuration is looked for. */
export const CONFIG_FILE = 'cluster-backup.yaml';

/**
 * The section of a configuration file, and what paths in it are relative to.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function readConfigurationFile(file: string): {
  section: Record<string, unknown>;
  folder: string;
  origin: string;
} {
  const section = parseSection(file);
  if (!section || typeof section !== 'object' || Array.isArray(section)) {
    throw configurationWrong(file, 'it has no section clusterBackup');
  }
  const folder = dirname(resolve(file));
  return { section: section as Record<string, unknown>, folder, origin: file };
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
