import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  BackupStore,
  ClusterAccess,
  ClusterBackupError,
  HostKeyRule,
  MachineAccess,
  NOTHING_CHANGED,
  openFilesystemStore,
} from '@cluster-backup/engine';
import { parse } from 'yaml';

/** The `clusterBackup` section, in the shape that it has in a portal's app-config. */
interface Section {
  recipients?: string[];
  signingKeyFile?: string;
  trustedSigners?: string[];
  compressionLevel?: number;
  stores?: Array<{ id: string; filesystem?: { path: string } }>;
  clusters?: ClusterSection[];
}

interface ClusterSection {
  name: string;
  layout?: string;
  ssh?: SshSection;
  controlPlane?: MachineSection[];
  workers?: MachineSection[];
}

interface SshSection {
  user?: string;
  port?: number;
  privateKeyFile?: string;
  privateKey?: string;
  passphrase?: string;
  knownHostsFile?: string;
  hostKeys?: HostKeyRule['mode'];
  jump?: MachineSection;
}

interface MachineSection extends SshSection {
  name: string;
  address: string;
  hostKeyFingerprints?: string[];
}

/** What a command works with. */
export interface Configuration {
  cluster(name: string): ClusterAccess;
  /** The store of that id; the first one when none is named. */
  store(id?: string): Promise<BackupStore>;
  recipients: string[];
  signingKeyFile: string;
  trustedSigners: string[];
  compressionLevel?: number;
}

/** For what needs no cluster and no store: a file of an archive brings everything else. */
const NO_FILE = '';

/** The configuration file where there is one. */
export function readConfigurationIfAny(file: string): Configuration {
  return readConfiguration(existsSync(file) ? file : NO_FILE);
}

/**
 * Reads a configuration file; paths in it are relative to its folder.
 *
 * @throws ClusterBackupError `configuration-wrong`
 */
export function readConfiguration(file: string): Configuration {
  const folder = dirname(resolve(file));
  const at = (path: string) => resolve(folder, path);
  const section = parseSection(file);
  const { clusters = [], stores = [] } = section;

  return {
    recipients: section.recipients ?? [],
    signingKeyFile: at(section.signingKeyFile ?? 'signing-key.pem'),
    trustedSigners: section.trustedSigners ?? [],
    compressionLevel: section.compressionLevel,

    cluster(name) {
      const found = clusters.find(cluster => cluster.name === name);
      if (!found) {
        const known = clusters.map(cluster => cluster.name).join(', ');
        throw wrong(file, `there is no cluster ${name}; it has: ${known}`);
      }
      if ((found.layout ?? 'kubeadm') !== 'kubeadm') {
        throw wrong(file, `layout ${found.layout} of ${name} is not known`);
      }
      if (!found.controlPlane?.length) {
        throw wrong(file, `cluster ${name} has no controlPlane machines`);
      }
      const machine = (section_: MachineSection) =>
        machineAccess(file, at, found.ssh ?? {}, section_);
      return {
        name,
        layout: 'kubeadm',
        controlPlane: found.controlPlane.map(machine),
        workers: (found.workers ?? []).map(machine),
      };
    },

    async store(id) {
      const found = id ? stores.find(store => store.id === id) : stores[0];
      if (!found?.filesystem?.path) {
        throw wrong(
          file,
          `there is no ${id ? `store ${id}` : 'store'} with filesystem.path`,
        );
      }
      return openFilesystemStore({
        id: found.id,
        path: at(found.filesystem.path),
      });
    },
  };
}

function parseSection(file: string): Section {
  if (file === NO_FILE) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw wrong(file, (error as Error).message);
  }
  try {
    const section = parse(text)?.clusterBackup;
    if (!section || typeof section !== 'object') {
      throw new Error('it has no section clusterBackup');
    }
    return section;
  } catch (error) {
    throw wrong(file, (error as Error).message);
  }
}

function machineAccess(
  file: string,
  at: (path: string) => string,
  common: SshSection,
  own: MachineSection,
): MachineAccess {
  if (!own.name || !own.address) {
    throw wrong(file, 'every machine needs a name and an address');
  }
  const ssh = { ...common, ...own };
  const read = (path: string) => {
    try {
      return readFileSync(at(path), 'utf8');
    } catch (error) {
      throw wrong(file, (error as Error).message);
    }
  };
  const privateKey =
    ssh.privateKey ?? (ssh.privateKeyFile && read(ssh.privateKeyFile));
  if (!privateKey) {
    throw wrong(file, `machine ${own.name} has no ssh.privateKeyFile`);
  }
  return {
    name: own.name,
    address: own.address,
    port: ssh.port,
    user: ssh.user ?? 'root',
    privateKey,
    passphrase: ssh.passphrase,
    hostKeys: {
      mode: ssh.hostKeys ?? 'strict',
      knownHosts: ssh.knownHostsFile ? read(ssh.knownHostsFile) : undefined,
      pinned: own.hostKeyFingerprints,
    },
    jump:
      ssh.jump &&
      machineAccess(file, at, { ...common, jump: undefined }, ssh.jump),
  };
}

function wrong(file: string, why: string): ClusterBackupError {
  return new ClusterBackupError({
    code: 'configuration-wrong',
    message: `The configuration ${file} cannot be used: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: 'Correct the file; docs/configure.md shows a whole one.',
    details: { file },
  });
}
