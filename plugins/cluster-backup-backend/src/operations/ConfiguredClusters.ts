import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import {
  ArchiveSummary,
  ClusterAccess,
  ClusterBackupError,
  Configuration,
  configurationWrong,
  NOTHING_CHANGED,
  summaryName,
  verifySummary,
} from '@cluster-backup/engine';
import { StoreType } from '@cluster-backup/backstage-plugin-cluster-backup-node';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Claim } from '../database/OperationStore';
import { ArchiveToOpen, Job, StoreToOpen } from './Job';
import { openStore } from './openStore';

const MAX_HEADER = 64 * 1024;

/** The clusters and stores of the configuration, by the entities that they are in the catalog. */
export class ConfiguredClusters {
  private readonly configuration: Configuration;
  private readonly modules: Map<string, string>;
  private readonly names: Map<string, string>;

  constructor(configuration: Configuration, storeTypes: StoreType[]) {
    this.configuration = configuration;
    this.modules = new Map(
      storeTypes.map(({ type, modulePath }) => [type, modulePath]),
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

  store(id?: string): StoreToOpen {
    const store = this.configuration.store(id);
    const modulePath = this.modules.get(store.type);
    if (modulePath) return { ...store, modulePath };
    throw configurationWrong(
      `of store ${store.id}`,
      `there is no store type ${store.type}; there are: ${[
        ...this.modules.keys(),
      ].join(', ')}`,
    );
  }

  /** What an operation of the queue is to do. */
  async jobOf({ operation, store }: Claim): Promise<Job> {
    const { kind, clusterRef } = operation;
    if (kind === 'check') {
      return { type: 'check', cluster: this.access(clusterRef) };
    }
    return {
      type: 'backup',
      recipients: this.configuration.recipients(),
      cluster: this.access(clusterRef),
      store: this.store(store),
      signingKey: (await this.configuration.signingKey()).export({
        type: 'pkcs8',
        format: 'pem',
      }) as string,
      compressionLevel: this.configuration.compressionLevel,
    };
  }

  /** Asks the machines of a cluster about a restore. */
  lookJob(clusterRef: string): Job {
    return { type: 'look', cluster: this.access(clusterRef) };
  }

  /** @throws ClusterBackupError with what keeps the cluster from being backed up */
  refuseUnusable(clusterRef: string) {
    this.access(clusterRef);
    this.configuration.recipients();
    this.store();
  }

  /** A backup's archive, after its summary proved itself. */
  async archive(backup: Backup, fileKey: Buffer): Promise<ArchiveToOpen> {
    const trustedSigners = await this.configuration.trustedSigners();
    const store = this.store(backup.store);
    const { ciphertext } = await readSummary(store, backup.key, trustedSigners);
    const { sha256 } = ciphertext;
    return { store, key: backup.key, sha256, fileKey, trustedSigners };
  }

  /** The age header that an archive begins with. */
  async header(backup: Backup): Promise<Buffer> {
    const store = await openStore(this.store(backup.store));
    const stop = new AbortController();
    const source = await store.get(backup.key, { signal: stop.signal });
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
      message: `The archive ${backup.key} in store ${backup.store} does not begin with an age header.`,
      state: NOTHING_CHANGED,
      remedy: 'Restore another backup, and find out who changed this file.',
      details: { store: backup.store, key: backup.key },
    });
  }
}

async function readSummary(
  toOpen: StoreToOpen,
  key: string,
  trustedSigners: string[],
): Promise<ArchiveSummary> {
  const store = await openStore(toOpen);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await store.get(summaryName(key))) {
    chunks.push(chunk);
  }
  return verifySummary(Buffer.concat(chunks), trustedSigners);
}
