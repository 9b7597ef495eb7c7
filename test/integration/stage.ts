import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ArchiveSource,
  backupCluster,
  BackupOptions,
  BackupResult,
  BackupStore,
  ClusterAccess,
  ClusterMachines,
  createSigningKeyFile,
  generateAgeKey,
  keyFingerprint,
  openFilesystemStore,
  restoreCluster,
  RestoreOptions,
  RestoreResult,
} from '@cluster-backup/engine';
import { Lab, LabOptions, startLab } from '@cluster-backup/lab';
import { clusterAccess, gdcAccess } from '../product';

/** A lab, a store, and the keys of whoever takes backups and restores them. */
export interface Stage {
  lab: Lab;
  /** Its machines, whatever tells of them. */
  cluster: ClusterMachines;
  /** As it is configured for a restore: with GDC, nothing but where its Secrets are. */
  access: ClusterAccess;
  store: BackupStore;
  /** Gone at the end, as the lab. */
  folder: string;
  /** age's secret key. */
  identity: string;
  recipient: string;
  backUp(options?: Partial<BackupOptions>): Promise<BackupResult>;
  archive(backup: BackupResult): ArchiveSource;
  restore(
    backup: BackupResult,
    options?: Partial<RestoreOptions>,
  ): Promise<RestoreResult>;
  /** Everything that lies in the store, half-written files included. */
  stored(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function setStage(options: LabOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-test-'));
  const path = join(folder, 'store');
  const store = await openFilesystemStore({ id: 'local', path });
  const { identity, recipient } = await generateAgeKey();
  const signingKey = await createSigningKeyFile(
    join(folder, `signer-${randomBytes(4).toString('hex')}.pem`),
  );
  const lab = await startLab(options);
  await frontAnswers(lab);
  const cluster = clusterAccess(lab);
  const access = lab.gdc ? gdcAccess(lab) : cluster;
  const managed = lab.gdc ? gdcAccess(lab, await lab.kubeconfig()) : cluster;
  const archive = ({ key, summary }: BackupResult): ArchiveSource => ({
    open: signal => store.get(key, { signal }),
    sha256: summary.ciphertext.sha256,
    key: { identities: [identity] },
    trustedSigners: [keyFingerprint(signingKey)],
  });
  return {
    lab,
    cluster,
    access,
    store,
    folder,
    identity,
    recipient,
    archive,
    backUp: more =>
      backupCluster({
        cluster: managed,
        folder: 'default/lab',
        stores: [{ id: store.id, open: async () => store }],
        recipients: [recipient],
        signingKey,
        ...more,
      }),
    restore: (backup, more) =>
      restoreCluster({
        cluster: access,
        archive: archive(backup),
        reason: { text: 'It is tested.', by: 'user:default/ada' },
        ...more,
      }),
    async stored() {
      const entries = await readdir(path, {
        recursive: true,
        withFileTypes: true,
      });
      return entries.filter(entry => entry.isFile()).map(({ name }) => name);
    },
    async stop() {
      await lab.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The front learns once a second which API servers are ready. */
async function frontAnswers({ front }: Lab): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await new Promise((resolve, reject) => {
        request(
          { ...front, path: '/readyz', rejectUnauthorized: false },
          answer => resolve(answer.resume()),
        )
          .on('error', reject)
          .end();
      });
      return;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}
