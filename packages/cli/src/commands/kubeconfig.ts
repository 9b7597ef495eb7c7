import { open } from 'node:fs/promises';
import { userInfo } from 'node:os';
import {
  ClusterBackupError,
  mintKubeconfig,
  NOTHING_CHANGED,
} from '@cluster-backup/engine';
import { ArchiveOptions, archiveSource } from '../archiveSource';
import { readConfigurationFile } from '../configuration';
import { conclude } from '../terminal';

/** Makes a way into a cluster that ends after an hour, into a file or onto standard output. */
export function kubeconfig(
  options: ArchiveOptions & {
    cluster: string;
    config: string;
    output?: string;
  },
) {
  return conclude(async signal => {
    const configuration = readConfigurationFile(options.config);
    const minted = await mintKubeconfig({
      cluster: configuration.cluster(options.cluster),
      holder: `cluster-backup:${userInfo().username}`,
      // Nothing of it is put back: it only tells how the machines are reached.
      archive:
        options.backupFile || options.backup
          ? await archiveSource(configuration, options)
          : undefined,
      signal,
    });
    const { output } = options;
    if (output === undefined) return minted.kubeconfig;
    await writeNew(output, minted.kubeconfig);
    const { server, expiresAt } = minted;
    return { file: output, server, expiresAt };
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
