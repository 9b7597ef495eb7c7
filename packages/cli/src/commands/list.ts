import {
  ArchiveSummary,
  ClusterBackupError,
  findArchives,
  readSummary,
} from '@cluster-backup/engine';
import { configurationFor } from '../clusterOptions';
import { openStore } from '../configuration';
import { conclude, mib, OutputOptions } from '../terminal';

interface ListedBackup {
  key: string;
  cluster: string;
  createdAt: string;
  revision: number;
  size: number;
  sha256: string;
  signer: string;
  isHeld: boolean;
}

/** Lists the backups that lie in a store, newest first; those that nobody trusted signed are named apart. */
export function list(
  options: OutputOptions & {
    cluster?: string;
    config?: string;
    store?: string;
    signer?: string;
  },
) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    const store = await openStore(configuration.store(options.store));
    const trusted = [
      ...(await configuration.trustedSigners()),
      ...(options.signer ? [options.signer] : []),
    ];
    const backups: ListedBackup[] = [];
    const passedOver: Array<{ key: string; error: ClusterBackupError }> = [];
    for await (const { key, hasSummary, isHeld } of findArchives(store, '')) {
      signal.throwIfAborted();
      if (!hasSummary) continue;
      try {
        const { summary } = await readSummary(store, key, trusted, signal);
        const backup = listed(key, summary, isHeld);
        const isMeant = !options.cluster || backup.cluster === options.cluster;
        if (isMeant) backups.push(backup);
      } catch (error) {
        if (!(error instanceof ClusterBackupError)) throw error;
        passedOver.push({ key, error });
      }
    }
    backups.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    for (const { key, error } of passedOver) {
      process.stderr.write(`${key} is passed over: ${error.message}\n`);
    }
    return {
      words: backups.map(inWords).join(''),
      facts: { store: store.id, backups, passedOver },
    };
  });
}

function listed(
  key: string,
  { description, facts, ciphertext, signer }: ArchiveSummary,
  isHeld: boolean,
): ListedBackup {
  return {
    key,
    cluster: description.cluster.name,
    createdAt: description.createdAt,
    revision: facts.revision,
    size: ciphertext.size,
    sha256: ciphertext.sha256,
    signer,
    isHeld,
  };
}

function inWords({ key, createdAt, size, revision, isHeld }: ListedBackup) {
  const held = isHeld ? '  kept' : '';
  return `${createdAt}  ${mib(size).padStart(10)}  revision ${String(
    revision,
  ).padEnd(10)}  ${key}${held}\n`;
}
