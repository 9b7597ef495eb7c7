import { readFile } from 'node:fs/promises';
import { Operation } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Lab } from '@cluster-backup/lab';
import { fileKeyOf } from '../portal/fileKey';
import { followOperation } from '../portal/followOperation';
import { signInAsGuest } from '../portal/guest';
import { startPortal } from '../portal/startPortal';
import { Product } from './product';

/** The product as a portal, by its HTTP API. */
export async function asPortal(lab: Lab, folder: string): Promise<Product> {
  const { portal, clusterRef, configured } = await startPortal(lab, folder);
  const { api } = await signInAsGuest(portal.url);
  const succeeded = async (begun: Operation): Promise<Operation> => {
    const ended = await followOperation(api, begun.id, line =>
      process.stderr.write(`${line}\n`),
    );
    if (ended.status === 'succeeded') return ended;
    throw new Error(`${ended.kind} ${ended.status}: ${ended.fault?.message}`);
  };
  return {
    async check() {
      await succeeded(await api.startCheck(clusterRef));
    },
    async backUp() {
      const { backupId } = await succeeded(await api.startBackup(clusterRef));
      const { id, revision, ...backup } = await api.getBackup(backupId!);
      return {
        id,
        revision,
        snapshotBytes: backup.snapshotSize,
        archiveBytes: backup.size,
      };
    },
    async restore({ id }) {
      const identity = await readFile(configured.identityFile, 'utf8');
      const { outageSeconds } = await succeeded(
        await api.startRestore(clusterRef, {
          backupId: id,
          confirmation: lab.access().clusterName,
          fileKey: await fileKeyOf(await api.getBackupHeader(id), identity),
        }),
      );
      return { outageSeconds: outageSeconds!, bump: await bumpOf(lab) };
    },
    stop: () => portal.stop(),
  };
}

/** The portal does not tell it; the journal of a machine does. */
async function bumpOf({ nodes }: Lab): Promise<number> {
  const { stdout } = await nodes[0].exec([
    'sh',
    '-c',
    'cat /var/lib/cluster-backup/*/verified.json',
  ]);
  return JSON.parse(stdout).bump;
}
