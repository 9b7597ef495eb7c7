import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  archiveName,
  parseArchiveName,
  readArchive,
  verifySummary,
} from '@cluster-backup/engine';
import { contentsAt, differences } from '../proof/contents';
import { restoredByHand } from '../proof/restoredByHand';
import { bytes as bytesIn, inPieces } from './bytes';
import { allFixtures } from './fixtures';
import { readPage } from './page';

jest.setTimeout(120_000);

const run = promisify(execFile);
const page = readPage();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cluster-backup-fixture-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('are of every kind', () => {
  const kinds = allFixtures().map(({ title, name }) => {
    const { compression, encrypted } = parseArchiveName(name)!;
    return `${title.split(':')[0]} ${compression} ${encrypted}`;
  });
  expect(kinds).toEqual(
    expect.arrayContaining([
      'format-1 gzip true',
      'format-1 zstd true',
      'format-1 gzip false',
    ]),
  );
});

describe.each(allFixtures().map(fixture => [fixture.title, fixture] as const))(
  '%s',
  (_, fixture) => {
    const { name, bytes, path, identity, signer, contents } = fixture;
    const named = parseArchiveName(name)!;

    it('is proven by the reader of today, and restores to what it held', async () => {
      const summary = verifySummary(fixture.summary, [signer]);
      const { cluster, createdAt } = summary.description;
      expect(archiveName(cluster.name, new Date(createdAt), named)).toBe(name);

      let snapshot: Buffer | undefined;
      const files: string[] = [];
      const proof = await readArchive(
        inPieces(bytes, 10_000),
        {
          ...(named.encrypted && { identities: [identity] }),
          sha256: summary.ciphertext.sha256,
        },
        {
          nodeFile(node, { path: file }) {
            files.push(`${node}:${file}`);
          },
          async snapshot(__, content) {
            snapshot = await bytesIn(content);
          },
        },
      );
      expect(proof).toMatchObject({
        signer,
        description: summary.description,
        facts: summary.facts,
      });
      expect(files).toContain('cp-1:/etc/kubernetes/pki/ca.key');

      const file = join(folder, 'snapshot.db');
      await writeFile(file, snapshot!);
      const found = await restoredByHand(file, folder, contentsAt);
      expect(contents.size).toBeGreaterThan(5);
      expect(differences(contents, found)).toEqual([]);
    });

    it('opens with stock tools, as the page says', async () => {
      await writeFile(join(folder, 'key'), identity, { mode: 0o600 });
      const shell = async (script: string) => {
        const { stdout } = await run(
          'bash',
          ['-euo', 'pipefail', '-c', script],
          { cwd: folder, env: { ...process.env, KEY: 'key', FILE: path } },
        );
        return stdout;
      };
      await shell(page.open[name.slice(name.indexOf('.tar'))]);
      const told = await shell(page.compare);
      expect(told).toContain('etcd/snapshot.db: OK');
      expect(told).not.toMatch(/FAILED/);
      expect(await shell(page.checkSignature)).toMatch(/Verified Successfully/);
      expect(await shell(page.checkSummary)).toMatch(
        /Verified Successfully[^]*: OK/,
      );
      expect(`SHA256:${(await shell(page.fingerprint)).trim()}`).toBe(signer);
      expect(
        JSON.parse(await readFile(join(folder, 'backup.json'), 'utf8')),
      ).toMatchObject({ formatVersion: 1, cluster: { name: 'lab' } });

      await writeFile(join(folder, 'checksums.json'), ' ', { flag: 'a' });
      await expect(shell(page.checkSignature)).rejects.toThrow();
    });
  },
);
