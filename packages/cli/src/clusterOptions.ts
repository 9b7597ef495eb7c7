import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  ClusterAccess,
  ClusterBackupError,
  Configuration,
  describedAccess,
  MachineAccess,
  NOTHING_CHANGED,
  readConfiguration,
  SshLogin,
} from '@cluster-backup/engine';
import { NamedArchive } from './archiveSource';
import { CONFIG_FILE, readConfigurationFile } from './configuration';

/** Options that name a cluster and say how it is reached. */
export interface ClusterOptions {
  cluster: string;
  /** The configuration; absent where the usual one is used if it is there. */
  config?: string;
  /** Of a GDC cluster, or of the cluster that manages it. */
  kubeconfig?: string;
  /** File of the private key that opens its machines. */
  sshKey?: string;
}

/**
 * What is configured: by the file that is named, by the usual one if it is there, or by the options alone.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function configurationFor(options: {
  config?: string;
  cluster?: string;
  kubeconfig?: string;
}): Configuration {
  const { config, cluster, kubeconfig } = options;
  if (kubeconfig !== undefined) {
    const gdc = {
      name: cluster,
      layout: 'gdc',
      kubeconfigFile: resolve(kubeconfig),
    };
    const known = configuredFile(config);
    return readConfiguration(
      { ...known?.section, clusters: [gdc] },
      { folder: known?.folder ?? '.', origin: 'of the command line' },
    );
  }
  const known = configuredFile(config);
  if (known) return readConfiguration(known.section, known);
  return readConfiguration({}, { folder: '.', origin: 'of the command line' });
}

/**
 * How the cluster is reached: as it is configured, or as its archive says.
 *
 * @throws ClusterBackupError `configuration-wrong`, and those of reading an archive
 */
export async function clusterFor(
  configuration: Configuration,
  options: ClusterOptions,
  archive?: NamedArchive,
  signal?: AbortSignal,
): Promise<ClusterAccess> {
  const { cluster, sshKey } = options;
  const login = sshKey === undefined ? {} : { privateKey: readKey(sshKey) };
  const isConfigured = configuration.clusters.some(
    ({ name }) => name === cluster,
  );
  if (!isConfigured && archive) {
    return describedAccess(cluster, archive, { login, signal });
  }
  if (!isConfigured && configuration.clusters.length === 0) {
    throw notConfigured(cluster);
  }
  return withLogin(configuration.cluster(cluster), login);
}

/** The key of the command line counts, whatever else is configured. */
function withLogin(access: ClusterAccess, login: SshLogin): ClusterAccess {
  if ('resource' in access) {
    return { ...access, ssh: { ...access.ssh, ...login } };
  }
  const opened = (machine: MachineAccess) => ({ ...machine, ...login });
  return {
    ...access,
    controlPlane: access.controlPlane.map(opened),
    workers: access.workers.map(opened),
  };
}

function configuredFile(config: string | undefined) {
  if (config === undefined && !existsSync(CONFIG_FILE)) return undefined;
  return readConfigurationFile(config ?? CONFIG_FILE);
}

function readKey(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ClusterBackupError({
      code: 'ssh-key-unreadable',
      message: `${file} cannot be read: ${
        (error as NodeJS.ErrnoException).code
      }.`,
      state: NOTHING_CHANGED,
      remedy: 'Give the file of the private key that opens the machines.',
      details: { file },
    });
  }
}

function notConfigured(cluster: string) {
  return new ClusterBackupError({
    code: 'configuration-missing',
    message: `Nothing says how ${cluster} is reached: there is no ${CONFIG_FILE} here.`,
    state: NOTHING_CHANGED,
    remedy: `Give --config FILE; or --kubeconfig FILE for a cluster of Google Distributed Cloud; or an archive of it (--backup-file), which says where its machines are.`,
    details: { cluster },
  });
}
