import { basename, resolve } from 'node:path';
import {
  copyBackup,
  openFileStore,
  summaryName,
  verifyCopy,
} from '@cluster-backup/engine';
import { namedSummary } from '../archiveSource';
import { configurationFor } from '../clusterOptions';
import { openStore } from '../configuration';
import { conclude, OutputOptions } from '../terminal';

/**
 * Brings an archive, its summary and its hold into a store, under the name that a backup has there; a portal with that
 * store finds it. What is written is compared with what was signed.
 */
export function importArchive(
  options: OutputOptions & {
    backupFile: string;
    config?: string;
    store?: string;
    signer?: string;
  },
) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    const { summary, trustedSigners } = await namedSummary(
      configuration,
      options,
    );
    const { cluster } = summary.description;
    const path = resolve(options.backupFile);
    const place = configuration.folder(cluster.name);
    const identity = cluster.caFingerprint.slice(0, 8);
    const key = `${place}/${identity}/${basename(path)}`;
    const to = await openStore(configuration.store(options.store));
    const trusted = trustedSigners.length ? trustedSigners : [summary.signer];
    const copy = { key, trustedSigners: trusted, signal };
    const isThere = (await to.head(summaryName(key))) !== undefined;
    if (isThere) await verifyCopy({ store: to, ...copy });
    else await copyBackup({ from: await openFileStore(path), to, ...copy });
    return {
      words: `${key}\n${
        isThere
          ? `The archive was in ${to.id} already, whole`
          : `The archive is in ${to.id} now; a portal with that store finds it within a day`
      }.\n`,
      facts: { key, store: to.id, wasThere: isThere },
    };
  });
}
