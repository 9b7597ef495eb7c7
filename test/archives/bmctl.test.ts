import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { generateAgeKey, readArchive } from '@cluster-backup/engine';
import { inPieces } from './bytes';
import { encrypted, packed, unpacked } from './opponent';

const run = promisify(execFile);

/** What bmctl's documentation says is in its backups; the names are not documented. */
const CONTENT = [
  'etcd-snapshot.db',
  'cluster-lab.yaml',
  'nodes/10.0.0.2/etc/kubernetes/pki/ca.crt',
  'nodes/10.0.0.2/etc/kubernetes/pki/etcd/ca.key',
  'nodes/10.0.0.2/etc/kubernetes/manifests/etcd.yaml',
  'nodes/10.0.0.2/etc/kubernetes/admin.conf',
  'ssh-key/id_rsa',
  'sa-keys/lab-anthos-baremetal-gcr.json',
];

let folder: string;
let backup: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-bmctl-'));
  for (const name of CONTENT) {
    await mkdir(dirname(join(folder, 'content', name)), { recursive: true });
    await writeFile(join(folder, 'content', name), `of ${name}`);
  }
  const file = join(folder, 'lab_backup_2026-11-22T141500Z.tar.gz');
  await run('tar', ['czf', file, '-C', join(folder, 'content'), '.']);
  backup = await readFile(file);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("bmctl's backup, which has the name of an archive that is not encrypted", () => {
  it.each<[string, () => Buffer]>([
    ['as tar and gzip write it', () => backup],
    // Go's gzip has the same header as ours.
    ['as a program in Go writes it', () => packed(unpacked(backup))],
  ])('is refused with the reason: %s', async (_, bytes) => {
    await expect(readArchive(inPieces(bytes()), {})).rejects.toMatchObject({
      code: 'archive-not-ours',
      message: expect.stringContaining('`bmctl backup cluster`'),
      remedy: expect.stringContaining('`bmctl restore cluster`'),
    });
  });

  it('is refused when somebody encrypted it', async () => {
    const { identity, recipient } = await generateAgeKey();
    const bytes = await encrypted(packed(unpacked(backup)), recipient);
    await expect(
      readArchive(inPieces(bytes), { identities: [identity] }),
    ).rejects.toMatchObject({
      code: 'archive-not-ours',
      remedy: expect.stringContaining('`bmctl restore cluster`'),
    });
  });
});
