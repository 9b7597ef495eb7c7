import { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  createSigningKeyFile,
  keyFingerprint,
  loadSigningKeyFile,
  Packing,
  parseSigningKey,
} from '../archive';
import { ClusterAccess } from '../cluster';
import { SpoolPlace } from '../copies';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { GdcAccess, gdcSecrets, GOOGLE_TOKEN_URL, SecretName } from '../gdc';
import { HostKeyRule, MachineAccess } from '../machine';
import { EXPIRE_AFTER_DAYS } from '../restore';
import { RetentionRule } from '../retention';
import { BackupStore, openFilesystemStore } from '../store';
import { readRetention } from './retention';
import {
  ClusterSection,
  ConfigurationSection,
  MachineSection,
  SshSection,
  StoreSection,
} from './section';

/** Above it zstd takes more memory than a backup may. */
const HIGHEST_LEVEL = { gzip: 9, zstd: 19 };

/** What is configured of a store; opening it is its type's matter. @public */
export interface StoreConfiguration {
  id: string;
  /** `filesystem`, or what somebody added. */
  type: string;
  /** What the configuration says for this type. */
  options: Record<string, unknown>;
  /** What paths are relative to. */
  folder: string;
  /** It may be slow: what it has not taken waits on the disk. */
  spool?: SpoolPlace;
}

/** What is configured. Reading files and judging what is there waits until it is asked for. @public */
export interface Configuration {
  /** The clusters that are configured, and the catalog entities that they are. */
  clusters: Array<{ name: string; entityRef: string }>;
  cluster(name: string): ClusterAccess;
  /** `NAMESPACE/NAME`: where in the stores a cluster's archives are. */
  folder(name: string): string;
  /** Ids of the stores. */
  stores: string[];
  /** The store of that id; the first one when none is named. */
  store(id?: string): StoreConfiguration;
  /**
   * Where backups of that cluster go: to the stores of those ids, or to those that its rule names, or to all of them, of
   * which there must be one.
   */
  backupStores(name: string, ids?: string[]): StoreConfiguration[];
  /** Who can open what is written, and how it is compressed. */
  packing(): Packing;
  /** Archives that are older are not restored. */
  expireAfterDays: number;
  /** So long a portal keeps what a restore replaced, unless it is accepted before. */
  keepReplacedDays: number;
  /** How long the backups of that cluster are kept; of one that is not configured, as of all that say nothing. */
  retention(name: string): RetentionRule;
  /** age recipients; none where archives are not encrypted. */
  recipients: string[];
  /** Signs archives; a file that is not there is made, so that no archive is ever unsigned. */
  signingKey(): Promise<KeyObject>;
  /** Fingerprints of one's own signing key, where there is one yet, and of those that are trusted beside it. */
  trustedSigners(): Promise<string[]>;
}

/**
 * Reads the `clusterBackup` section. Paths in it are relative to the folder; `origin` names it in errors.
 *
 * @throws ClusterBackupError `configuration-wrong`, from here and from what is returned
 * @public
 */
export function readConfiguration(
  section: unknown,
  options: { folder: string; origin: string },
): Configuration {
  const { folder, origin } = options;
  if (!section || typeof section !== 'object' || Array.isArray(section)) {
    throw configurationWrong(origin, 'it has no section clusterBackup');
  }
  const {
    clusters = [],
    stores = [],
    recipients = [],
    trustedSigners = [],
    signingKey,
    signingKeyFile = 'signing-key.pem',
    dangerouslyStoreUnencrypted = false,
    compression = 'gzip',
    compressionLevel,
    expireAfterDays = EXPIRE_AFTER_DAYS,
    keepReplacedDays = 7,
    protection,
    etcdutlFile,
  } = section as ConfigurationSection;
  const at = (path: string) => resolve(folder, path);
  const entityRefOf = ({ name, entityRef }: ClusterSection) =>
    entityRef ?? `resource:default/${name}`;
  refuseTwice(origin, 'cluster', clusters, 'name');
  refuseTwice(origin, 'store', stores, 'id');

  const ownKey = async () =>
    signingKey
      ? parseSigningKey(signingKey)
      : loadSigningKeyFile(at(signingKeyFile));

  const days = Object.entries({ expireAfterDays, keepReplacedDays });
  for (const [name, count] of days) {
    if (Number.isInteger(count) && count >= 1) continue;
    throw configurationWrong(origin, `${name} ${count} is no number of days`);
  }
  const retentionOf = (found: unknown, whose: string) =>
    readRetention(found, { expireAfterDays, keepReplacedDays }, why =>
      configurationWrong(origin, `of protection.retention${whose}: ${why}`),
    );
  const standardRetention = retentionOf(protection?.retention, '');
  const retentions = new Map(
    clusters.map(({ name, protection: own }) => [
      name,
      retentionOf(
        own?.retention ?? protection?.retention,
        ` of cluster ${name}`,
      ),
    ]),
  );

  const storeIds = stores.map(({ id }) => id);
  const storesOf = (found: unknown, whose: string) =>
    readStores(found, storeIds, why =>
      configurationWrong(origin, `of protection.stores${whose}: ${why}`),
    );
  const standardCopies = storesOf(protection?.stores, '');
  const copies = new Map(
    clusters.map(({ name, protection: own }) => [
      name,
      storesOf(own?.stores ?? protection?.stores, ` of cluster ${name}`),
    ]),
  );

  return {
    recipients,
    expireAfterDays,
    keepReplacedDays,
    clusters: clusters.map(cluster => ({
      name: cluster.name,
      entityRef: entityRefOf(cluster),
    })),
    stores: storeIds,

    retention(name) {
      return retentions.get(name) ?? standardRetention;
    },

    cluster(name) {
      const found = clusters.find(cluster => cluster.name === name);
      if (!found) {
        const known = clusters.map(cluster => cluster.name).join(', ');
        throw configurationWrong(
          origin,
          `there is no cluster ${name}; it has: ${known}`,
        );
      }
      const restoreToolFile = etcdutlFile && at(etcdutlFile);
      if (found.layout === 'gdc') {
        return { ...gdcAccess(origin, at, found), restoreToolFile };
      }
      if ((found.layout ?? 'kubeadm') !== 'kubeadm') {
        throw configurationWrong(
          origin,
          `layout ${found.layout} of ${name} is not known`,
        );
      }
      if (!found.controlPlane?.length) {
        throw configurationWrong(
          origin,
          `cluster ${name} has no controlPlane machines`,
        );
      }
      const machine = (own: MachineSection) =>
        machineAccess(origin, at, found.ssh ?? {}, own);
      return {
        name,
        layout: 'kubeadm',
        controlPlane: found.controlPlane.map(machine),
        workers: (found.workers ?? []).map(machine),
        restoreToolFile,
      };
    },

    folder(name) {
      const ref = entityRefOf(clusters.find(each => each.name === name)!);
      const [, namespace = 'default', entity] =
        /^(?:[^:/]+:)?(?:([^/]+)\/)?([^/]+)$/.exec(ref) ?? [];
      if (entity) return `${namespace}/${entity}`.toLowerCase();
      throw configurationWrong(
        origin,
        `${ref}, the entityRef of ${name}, is no reference to an entity`,
      );
    },

    store(id) {
      const found = id ? stores.find(store => store.id === id) : stores[0];
      if (!found) {
        throw configurationWrong(
          origin,
          `there is no store${id ? ` ${id}` : ''}`,
        );
      }
      const { useDisk, ...ofType } = found;
      return {
        ...typeOf(origin, ofType),
        folder,
        spool: spoolOf(origin, at, found.id, useDisk),
      };
    },

    backupStores(name, ids = copies.get(name) ?? standardCopies) {
      if (!ids.length) return [this.store()];
      return [...new Set(ids)].map(id => this.store(id));
    },

    packing() {
      if (compression !== 'gzip' && compression !== 'zstd') {
        throw configurationWrong(
          origin,
          `compression ${compression} is neither gzip nor zstd`,
        );
      }
      const most = HIGHEST_LEVEL[compression];
      if (
        compressionLevel !== undefined &&
        !(compressionLevel >= 1 && compressionLevel <= most)
      ) {
        throw configurationWrong(
          origin,
          `compressionLevel ${compressionLevel} is not one of ${compression}, 1 to ${most}`,
        );
      }
      if (dangerouslyStoreUnencrypted && recipients.length) {
        throw configurationWrong(
          origin,
          'it has recipients and dangerouslyStoreUnencrypted, and an archive is either encrypted or not',
        );
      }
      const spooled = stores.find(({ useDisk }) => useDisk);
      if (dangerouslyStoreUnencrypted && spooled) {
        throw configurationWrong(
          origin,
          `it has useDisk of store ${spooled.id} and dangerouslyStoreUnencrypted, and only what is encrypted may lie on this machine's disk`,
        );
      }
      if (dangerouslyStoreUnencrypted || recipients.length) {
        return {
          recipients,
          dangerouslyStoreUnencrypted,
          compression,
          compressionLevel,
        };
      }
      throw new ClusterBackupError({
        code: 'configuration-wrong',
        message: 'No recipients are configured: nobody could open the backup.',
        state: NOTHING_CHANGED,
        remedy:
          'Make a key (cluster-backup keygen FILE), keep it off this machine, and put its public half into recipients.',
      });
    },

    async signingKey() {
      if (signingKey || existsSync(at(signingKeyFile))) return ownKey();
      return createSigningKeyFile(at(signingKeyFile));
    },

    async trustedSigners() {
      const isThere = signingKey || existsSync(at(signingKeyFile));
      const own = isThere ? [keyFingerprint(await ownKey())] : [];
      return [...own, ...trustedSigners];
    },
  };
}

/**
 * Opens a store of type `filesystem`.
 *
 * @throws ClusterBackupError `configuration-wrong`, `store-unavailable`
 * @public
 */
export async function openConfiguredFolder(
  store: StoreConfiguration,
): Promise<BackupStore> {
  const { id, options, folder } = store;
  if (typeof options.path !== 'string' || !options.path) {
    throw configurationWrong(`of store ${id}`, 'filesystem.path is missing');
  }
  return openFilesystemStore({ id, path: resolve(folder, options.path) });
}

/** The stores that a rule names; all of them where there is none. */
function readStores(
  found: unknown,
  known: string[],
  wrong: (why: string) => Error,
): string[] {
  if (found === undefined || found === null) return known;
  if (!Array.isArray(found) || !found.length) {
    throw wrong('it is no list of stores');
  }
  const unknown = found.find(id => !known.includes(id));
  if (unknown === undefined) return found;
  throw wrong(`there is no store ${unknown}; there are: ${known.join(', ')}`);
}

function spoolOf(
  origin: string,
  at: (path: string) => string,
  id: string,
  useDisk: StoreSection['useDisk'],
): SpoolPlace | undefined {
  if (useDisk === undefined || useDisk === false) return undefined;
  if (useDisk === true) return {};
  const { directory } = Object(useDisk);
  if (typeof directory === 'string' && directory) {
    return { directory: at(directory) };
  }
  throw configurationWrong(
    origin,
    `useDisk of store ${id} is neither true nor a directory`,
  );
}

function typeOf(origin: string, { id, ...types }: StoreSection) {
  const [[type, options] = [], ...others] = Object.entries(types);
  if (!type || others.length || !options || typeof options !== 'object') {
    throw configurationWrong(
      origin,
      `store ${id} needs one member beside its id, named for its type, such as filesystem with a path`,
    );
  }
  return { id, type, options: options as Record<string, unknown> };
}

function refuseTwice<Key extends string>(
  origin: string,
  what: string,
  list: Array<Partial<Record<Key, unknown>>>,
  key: Key,
) {
  const seen = new Set<unknown>();
  for (const { [key]: value } of list) {
    if (typeof value !== 'string' || !value) {
      throw configurationWrong(origin, `every ${what} needs ${key}`);
    }
    if (seen.has(value)) {
      throw configurationWrong(origin, `there are two of ${what} ${value}`);
    }
    seen.add(value);
  }
}

function machineAccess(
  origin: string,
  at: (path: string) => string,
  common: SshSection,
  own: MachineSection,
): MachineAccess {
  if (!own.name || !own.address) {
    throw configurationWrong(
      origin,
      'every machine needs a name and an address',
    );
  }
  const ssh = { ...common, ...own };
  const privateKey =
    ssh.privateKey ??
    (ssh.privateKeyFile && readText(origin, at(ssh.privateKeyFile)));
  if (!privateKey) {
    throw configurationWrong(
      origin,
      `machine ${own.name} has no ssh.privateKeyFile`,
    );
  }
  return {
    name: own.name,
    address: own.address,
    port: ssh.port,
    user: ssh.user ?? 'root',
    privateKey,
    passphrase: ssh.passphrase,
    hostKeys: {
      ...hostKeyRule(origin, at, ssh),
      pinned: own.hostKeyFingerprints,
    },
    jump:
      ssh.jump &&
      machineAccess(origin, at, { ...common, jump: undefined }, ssh.jump),
  };
}

function hostKeyRule(
  origin: string,
  at: (path: string) => string,
  { hostKeys = 'strict', knownHostsFile }: SshSection,
): HostKeyRule {
  const knownHosts = knownHostsFile && readText(origin, at(knownHostsFile));
  return { mode: hostKeys, knownHosts };
}

function readText(origin: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw configurationWrong(origin, (error as Error).message);
  }
}

function gdcAccess(
  origin: string,
  at: (path: string) => string,
  section: ClusterSection,
): GdcAccess {
  const { name, ssh = {}, clusterName = name, secrets = {} } = section;
  const { namespace = `cluster-${clusterName}` } = section;
  const kubeconfig =
    section.kubeconfig ??
    (section.kubeconfigFile && readText(origin, at(section.kubeconfigFile)));
  const secretName = (text: string): SecretName => {
    const [inNamespace, secret, ...more] = text.split('/');
    if (inNamespace && secret && !more.length) {
      return { namespace: inNamespace, name: secret };
    }
    throw configurationWrong(origin, `${text} is no NAMESPACE/NAME`);
  };
  const made = gdcSecrets(namespace);
  const { passphrase, port, user, jump } = ssh;
  return {
    name,
    layout: 'gdc',
    resource: { name: clusterName, namespace },
    kubeconfig: kubeconfig || undefined,
    ssh: {
      port,
      user,
      passphrase,
      privateKey:
        ssh.privateKey ??
        (ssh.privateKeyFile && readText(origin, at(ssh.privateKeyFile))),
      hostKeys: hostKeyRule(origin, at, ssh),
      jump:
        jump && machineAccess(origin, at, { ...ssh, jump: undefined }, jump),
    },
    secrets: {
      sshKey: secrets.sshKey ? [secretName(secrets.sshKey)] : made.sshKey,
      gcpKeys: secrets.gcpKeys?.map(secretName) ?? made.gcpKeys,
    },
    gcpTokenUrl: section.gcpTokenUrl ?? GOOGLE_TOKEN_URL,
  };
}

/** What a configuration that cannot be used is told as. @public */
export function configurationWrong(
  origin: string,
  why: string,
): ClusterBackupError {
  return new ClusterBackupError({
    code: 'configuration-wrong',
    message: `The configuration ${origin} cannot be used: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: 'Correct it; docs/configure.md shows a whole one.',
    details: { origin },
  });
}
