import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import {
  ClusterBackupError,
  mintKubeconfig,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import { ArchiveOptions, withNamedArchive } from '../archiveSource';
import {
  clusterFor,
  ClusterOptions,
  configurationFor,
} from '../clusterOptions';
import { conclude, OutputOptions } from '../terminal';

/** Makes a way into a cluster that ends after an hour, into a file or onto standard output. */
export function kubeconfig(
  options: ArchiveOptions & ClusterOptions & OutputOptions & { file?: string },
) {
  return conclude(options, async signal => {
    const configuration = configurationFor(options);
    const { file } = options;
    const minted = await withNamedArchive(
      configuration,
      options,
      signal,
      // Nothing of it is put back: it only tells how the machines are reached.
      async archive =>
        mintKubeconfig({
          cluster: await clusterFor(configuration, options, archive, signal),
          holder: `cluster-backup:${userInfo().username}`,
          archive,
          signal,
        }),
    );
    if (file === undefined) return { words: minted.kubeconfig, facts: minted };
    await writeNew(file, minted.kubeconfig);
    const { server, expiresAt } = minted;
    return {
      words: `${file} leads to ${server} until ${expiresAt}.\n`,
      facts: { file, server, expiresAt },
    };
  });
}

/** Nobody else reads it, from its first byte. */
async function writeNew(path: string, text: string) {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new ClusterBackupError({
      code: 'file-not-written',
      message: `${path} could not be written: ${(error as Error).message}.`,
      state: NOTHING_CHANGED,
      remedy: 'Name a file that is not there yet, in a folder of your own.',
    });
  }
}
