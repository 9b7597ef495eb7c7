import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { Backup } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { ArchiveSummary, publicKeyFingerprint } from '@cluster-backup/engine';
import {
  isPortalsOwn,
  portalsOwnClusters,
  refusePortalsOwn,
} from './portalsOwnCluster';

const [one, two, three] = rootCertificates;
const KEY = (authority: string) =>
  `default/lab/${publicKeyFingerprint(authority).slice(
    0,
    8,
  )}/lab_backup_2026-11-23T080000Z.tar.gz.age`;
const backupOf = (authority: string) =>
  ({
    key: KEY(authority),
    isEncrypted: true,
    copies: [{ store: 'local' }, { store: 'vault' }],
  } as Backup);
const summaryOf = (authority: string) =>
  ({
    description: {
      cluster: { name: 'lab', caFingerprint: publicKeyFingerprint(authority) },
    },
    signer: 'SHA256:us',
  } as ArchiveSummary);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-own-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('knows the cluster that it runs on, by any of its authorities', async () => {
  const file = join(folder, 'ca.crt');
  await writeFile(file, `${one}\n${two}\n`);
  const own = await portalsOwnClusters([], file);
  for (const authority of [one, two]) {
    expect(isPortalsOwn(own, 'lab', backupOf(authority))).toBe(true);
    expect(() =>
      refusePortalsOwn(own, 'lab', backupOf(authority), summaryOf(authority)),
    ).toThrow(
      expect.objectContaining({
        code: 'cluster-runs-portal',
        remedy: expect.stringMatching(
          /from local or vault .* cluster-backup restore -c lab --backup-file lab_backup_2026-11-23T080000Z\.tar\.gz\.age --identity IDENTITY --signer SHA256:us$/,
        ),
      }),
    );
  }
  expect(isPortalsOwn(own, 'lab', backupOf(three))).toBe(false);
  refusePortalsOwn(own, 'lab', backupOf(three), summaryOf(three));
});

it('knows none where it runs on no cluster, but those that it is told of', async () => {
  const own = await portalsOwnClusters(['tools'], join(folder, 'none'));
  expect(isPortalsOwn(own, 'lab', backupOf(one))).toBe(false);
  expect(isPortalsOwn(own, 'tools', undefined)).toBe(true);
  refusePortalsOwn(own, 'lab', backupOf(one), summaryOf(one));
  expect(() =>
    refusePortalsOwn(own, 'tools', backupOf(one), summaryOf(one)),
  ).toThrow('The portal itself runs on tools');
});
