import { Readable } from 'node:stream';
import { KeyObject } from 'node:crypto';
import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import {
  ArchiveSummary,
  chosenArchiveName,
  ClusterAccess,
  ClusterBackupError,
  Configuration,
  configurationWrong,
  Copy,
  formOf,
  Hold,
  holdBackup,
  managingServer,
  NOTHING_CHANGED,
  readSummary,
  releaseBackup,
  removeBackup,
  RetentionRule,
  StoreToOpen,
} from '@cluster-backup/engine';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import {
  Backup,
  BackupChoices,
  BackupCopy,
  Fault,
  Operation,
} from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { BackupRecordStore } from '../database/BackupRecordStore';
import { Claim, NewOperation, Slot } from '../database/OperationStore';
import { ArchiveToOpen, BackupJob, Job, LastBackup, PluggedStore } from './Job';
import { foreseen } from './fault';
import { Limits } from './limits';
import { openStore } from './openStore';

const MAX_HEADER = 64 * 1024;

/** A backup's summary, and the store that gave it. */
interface FoundSummary {
  store: PluggedStore;
  summary: ArchiveSummary;
}

/** The clusters and stores of the configuration, by the entities that they are in the catalog. */
export class ConfiguredClusters {
  private readonly configuration: Configuration;
  private readonly backups: BackupRecordStore;
  private readonly types: Map<string, Omit<StoreType, 'type'>>;
  private readonly names: Map<string, string>;
  private readonly limits: Limits;
  private identities = new Map<string, string>();

  constructor(options: {
    configuration: Configuration;
    storeTypes: StoreType[];
    backups: BackupRecordStore;
    limits: Limits;
  }) {
    const { configuration, storeTypes, backups, limits } = options;
    this.configuration = configuration;
    this.backups = backups;
    this.limits = limits;
    this.types = new Map(
      storeTypes.map(({ type, ...opener }) => [type, opener]),
    );
    this.names = new Map(
      configuration.clusters.map(({ name, entityRef }) => [
        stringifyEntityRef(parseEntityRef(entityRef)),
        name,
      ]),
    );
    for (const id of configuration.stores) this.store(id);
  }

  get stores(): string[] {
    return this.configuration.stores;
  }

  /** The entities of all clusters that are configured. */
  get clusterRefs(): string[] {
    return [...this.names.keys()];
  }

  name(clusterRef: string): string | undefined {
    return this.names.get(clusterRef);
  }

  access(clusterRef: string): ClusterAccess {
    return this.configuration.cluster(this.configuredName(clusterRef));
  }

  configuredName(clusterRef: string): string {
    const name = this.name(clusterRef);
    if (name) return name;
    throw new ClusterBackupError({
      code: 'cluster-not-configured',
      message: `${clusterRef} is not configured for backups.`,
      state: NOTHING_CHANGED,
      remedy:
        'Let a person who operates the portal add the cluster to clusterBackup.clusters, with this entity as its entityRef where the names differ.',
    });
  }

  store(id?: string): PluggedStore {
    const store = this.configuration.store(id);
    const opener = this.types.get(store.type);
    const identity = this.identities.get(store.id);
    if (opener) return { ...store, ...opener, identity };
    throw configurationWrong(
      `of store ${store.id}`,
      `there is no store type ${store.type}; there are: ${[
        ...this.types.keys(),
      ].join(', ')}`,
    );
  }

  /** From now on a store that is another one than these is refused. */
  recognize(identities: Map<string, string>) {
    this.identities = identities;
  }

  /** Of backups that are taken from now on. */
  get recipients(): string[] {
    return this.configuration.recipients;
  }

  signingKey(): Promise<KeyObject> {
    return this.configuration.signingKey();
  }

  trustedSigners(): Promise<string[]> {
    return this.configuration.trustedSigners();
  }

  /** The configured cluster whose archives have such keys. */
  clusterOf(key: string): string | undefined {
    return [...this.names].find(([, name]) =>
      key.startsWith(`${this.configuration.folder(name)}/`),
    )?.[0];
  }

  /** What an operation of the queue is to do. */
  async jobOf({ operation }: Claim): Promise<Job> {
    const { kind, clusterRef } = operation;
    if (kind === 'check') {
      const cluster = this.access(clusterRef);
      const lastBackup = await this.lastBackup(clusterRef);
      return { type: 'check', cluster, lastBackup };
    }
    if (kind === 'verify') {
      const backup = await this.backups.get(operation.backupId!);
      if (!backup) throw backupGone(operation);
      return {
        type: 'verify',
        key: backup.key,
        stores: this.storesToVerify(backup),
        trustedSigners: await this.configuration.trustedSigners(),
      };
    }
    const { choices, requestedBy: by } = operation;
    const job = await this.backupJob(clusterRef, choices);
    const text = choices?.reason;
    return text ? { ...job, reason: { text, by } } : job;
  }

  /** What would be restored if it had to be now. */
  private async lastBackup(
    clusterRef: string,
  ): Promise<LastBackup | undefined> {
    const backup = await this.backups.last(clusterRef);
    if (!backup) return undefined;
    try {
      const { summary } = await this.summary(backup);
      return { description: summary.description };
    } catch (error) {
      const fault = foreseen(error);
      if (!fault) throw error;
      return { fault };
    }
  }

  async backupJob(
    clusterRef: string,
    { name, stores, withoutQuorum }: BackupChoices = {},
  ): Promise<BackupJob> {
    const packing = this.configuration.packing();
    const configured = this.configuredName(clusterRef);
    return {
      type: 'backup',
      packing,
      withoutQuorum,
      name: name && chosenArchiveName(name, formOf(packing)),
      cluster: this.access(clusterRef),
      folder: this.configuration.folder(configured),
      stores: this.configuration
        .backupStores(configured, stores)
        .map(({ id }) => this.store(id)),
      signingKey: (await this.configuration.signingKey()).export({
        type: 'pkcs8',
        format: 'pem',
      }) as string,
    };
  }

  /** @throws ClusterBackupError `archive-name-unsafe`, `store-unknown` */
  refuseWrong({ name, stores = [] }: BackupChoices) {
    if (name) chosenArchiveName(name, formOf(this.configuration.packing()));
    const unknown = stores.filter(id => !this.stores.includes(id));
    if (!unknown.length) return;
    throw new ClusterBackupError({
      code: 'store-unknown',
      message: `There is no store ${unknown.join(', ')}.`,
      state: `${NOTHING_CHANGED} No backup was taken.`,
      remedy: `Choose of these: ${this.stores.join(', ')}.`,
    });
  }

  /** What an operation on a cluster uses while it runs, and how often that may be at once. */
  slots(
    kind: NewOperation['kind'],
    clusterRef: string,
    stores: string[] = [],
  ): Slot[] {
    const { portal, store, managingCluster } = this.limits;
    const used =
      kind === 'backup' ? this.backupStores(clusterRef, stores) : stores;
    const server = kind === 'verify' ? undefined : this.managing(clusterRef);
    return [
      { resource: 'portal', atMost: portal },
      ...used.map(id => ({ resource: `store ${id}`, atMost: store })),
      ...(server
        ? [{ resource: `cluster at ${server}`, atMost: managingCluster }]
        : []),
    ];
  }

  /** Ids of the stores that backups of a cluster go to: those chosen, or else those of its rule. */
  backupStores(clusterRef: string, chosen: string[] = []): string[] {
    if (chosen.length) return [...new Set(chosen)];
    return this.configuration
      .backupStores(this.configuredName(clusterRef))
      .map(({ id }) => id);
  }

  /** Where copies of its backups ought to be; nowhere where it cannot be backed up as it is configured. */
  rightStores(clusterRef: string): string[] {
    return this.whyNoBackup(clusterRef) ? [] : this.backupStores(clusterRef);
  }

  /** The API server of the cluster that manages it, where another one does and is configured. */
  private managing(clusterRef: string): string | undefined {
    try {
      const access = this.access(clusterRef);
      return 'resource' in access ? managingServer(access) : undefined;
    } catch (error) {
      // Whether it can be backed up is asked when it is.
      if (foreseen(error)) return undefined;
      throw error;
    }
  }

  /** Asks the machines of a cluster about a restore. */
  lookJob({ clusterRef, id }: Operation): Job {
    return { type: 'look', cluster: this.access(clusterRef), operationId: id };
  }

  /** What keeps a cluster from being backed up, if anything does. */
  whyNoBackup(clusterRef: string): Fault | undefined {
    try {
      this.access(clusterRef);
      this.configuration.packing();
      this.store();
      return undefined;
    } catch (error) {
      const fault = foreseen(error);
      if (!fault) throw error;
      return fault;
    }
  }

  /**
   * A backup's archive, from the first store whose summary of it proves itself.
   *
   * @param found - its summary, where it was read already
   */
  async archive(backup: Backup, found?: FoundSummary): Promise<ArchiveToOpen> {
    const trustedSigners = await this.configuration.trustedSigners();
    const { store, summary } = found ?? (await this.summary(backup));
    return {
      store,
      key: backup.key,
      sha256: summary.ciphertext.sha256,
      trustedSigners,
      expireAfterDays: this.configuration.expireAfterDays,
    };
  }

  /** A backup's summary, from the first store that has one which proves itself. */
  async summary(backup: Backup): Promise<FoundSummary> {
    const trustedSigners = await this.configuration.trustedSigners();
    return this.fromAnyCopy(backup, async store => {
      const opened = await openStore(store);
      const { summary } = await readSummary(opened, backup.key, trustedSigners);
      return { store, summary };
    });
  }

  /** Backups that are older are not restored. */
  get expireAfterDays(): number {
    return this.configuration.expireAfterDays;
  }

  /** What a restore replaced is kept so long. */
  get keepReplacedDays(): number {
    return this.configuration.keepReplacedDays;
  }

  /** The age header that an archive begins with. */
  async header(backup: Backup): Promise<Buffer> {
    return this.fromAnyCopy(backup, plugged => readHeader(plugged, backup.key));
  }

  /** An archive's bytes, as the first store that gives them has them. */
  async bytes(backup: Backup, signal: AbortSignal): Promise<Readable> {
    return this.fromAnyCopy(backup, async plugged =>
      (await openStore(plugged)).get(backup.key, { signal }),
    );
  }

  /** Writes a hold beside every copy of a backup. */
  async hold(backup: Backup, hold: Hold): Promise<Copy[]> {
    const { key } = backup;
    return holdBackup({ stores: this.storesToOpen(backup), key, hold });
  }

  /** Removes a backup's hold wherever there is one, and tells whether there was. */
  async release(backup: Backup): Promise<boolean> {
    const { key } = backup;
    return releaseBackup({ stores: this.storesToOpen(backup), key });
  }

  /**
   * Removes a backup from all its stores that are configured.
   *
   * @throws ClusterBackupError those of `removeBackup`
   */
  async remove({ copies, key }: Backup): Promise<void> {
    const stores = copies
      .filter(({ store }) => this.stores.includes(store))
      .map(({ store }) => this.store(store));
    await removeBackup({
      stores: stores.map(store => ({
        id: store.id,
        open: () => openStore(store),
      })),
      key,
    });
  }

  /** How long the backups of a cluster are kept; of one that is not configured, as of all that say nothing. */
  retention(clusterRef: string): RetentionRule {
    return this.configuration.retention(this.name(clusterRef) ?? '');
  }

  private storesToOpen(backup: Backup): StoreToOpen[] {
    return this.storesOf(backup).map(store => ({
      id: store.id,
      open: () => openStore(store),
    }));
  }

  /** The stores of a backup that are still configured: where it was good when it was read last, first. */
  private storesOf({ copies, key }: Backup): PluggedStore[] {
    const isBad = ({ state }: BackupCopy) => Number(state !== 'good');
    const configured = copies
      .filter(({ store }) => this.stores.includes(store))
      .sort((a, b) => isBad(a) - isBad(b));
    if (configured.length) {
      return configured.map(({ store }) => this.store(store));
    }
    throw new ClusterBackupError({
      code: 'store-unknown',
      message: `No store that has ${key} is configured any more: ${copies
        .map(({ store }) => store)
        .join(', ')}.`,
      state: NOTHING_CHANGED,
      remedy: 'Configure one of them again under clusterBackup.stores.',
    });
  }

  /** Those that have it, and those that the rule wants it in by now: they get a copy. */
  private storesToVerify(backup: Backup): PluggedStore[] {
    const having = this.storesOf(backup);
    if (!this.name(backup.clusterRef) || backup.isBeforeRestore) return having;
    const wanted = this.backupStores(backup.clusterRef).filter(
      store => !backup.copies.some(copy => copy.store === store),
    );
    return [...having, ...wanted.map(id => this.store(id))];
  }

  private async fromAnyCopy<T>(
    backup: Backup,
    take: (store: PluggedStore) => Promise<T>,
  ): Promise<T> {
    let first: { error: unknown } | undefined;
    for (const store of this.storesOf(backup)) {
      try {
        return await take(store);
      } catch (error) {
        if (!foreseen(error)) throw error;
        first ??= { error };
      }
    }
    throw first!.error;
  }
}

function backupGone({ backupId }: Operation) {
  return new ClusterBackupError({
    code: 'backup-unknown',
    message: `The backup ${backupId} is not there any more.`,
    state: NOTHING_CHANGED,
    remedy: 'Its rule has removed it: look among the backups of its cluster.',
  });
}

/** The age header that an archive begins with. */
async function readHeader(plugged: PluggedStore, key: string): Promise<Buffer> {
  const store = await openStore(plugged);
  const stop = new AbortController();
  const source = await store.get(key, { signal: stop.signal });
  let bytes: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of source) {
      bytes = Buffer.concat([bytes, chunk]).subarray(0, MAX_HEADER);
      const mac = bytes.indexOf('\n---');
      const end = mac < 0 ? -1 : bytes.indexOf('\n', mac + 1);
      if (end >= 0) return bytes.subarray(0, end + 1);
      if (bytes.length === MAX_HEADER) break;
    }
  } finally {
    source.destroy();
  }
  throw new ClusterBackupError({
    code: 'archive-not-ours',
    message: `The archive ${key} in store ${plugged.id} does not begin with an age header.`,
    state: NOTHING_CHANGED,
    remedy: 'Restore another backup, and find out who changed this file.',
    details: { store: plugged.id, key: key },
  });
}
