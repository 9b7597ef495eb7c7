import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { BackupOptions, summaryName } from '@cluster-backup/engine';
import { LabNode } from '@cluster-backup/lab';
import { setStage } from '../integration/stage';
import { contentsAt } from '../proof/contents';
import { FixtureKeys } from './fixtures';

// Made once for each released format, and never again: `scripts/bundle test/archives/makeFixtures.ts
// test/dist/makeFixtures.cjs && node test/dist/makeFixtures.cjs FORMAT`, with scripts/environment read before.

const kinds: Array<Partial<BackupOptions>> = [
  {},
  { compression: 'zstd' },
  { recipients: [], dangerouslyStoreUnencrypted: true },
];

async function makeFixtures(format: string) {
  const folder = resolve(`test/archives/fixtures/format-${format}`);
  // Fails where they are: what is released does not change.
  await mkdir(folder);
  const stage = await setStage({ nodes: 1, workers: 1 });
  try {
    await fill(stage.lab.nodes[0]);
    let revision = 0;
    for (const kind of kinds) {
      const { key, summary } = await stage.backUp(kind);
      for (const name of [key, summaryName(key)]) {
        await writeFile(
          join(folder, basename(name)),
          await readFile(join(stage.folder, 'store', name)),
        );
      }
      revision = summary.facts.revision;
    }
    const keys: FixtureKeys = {
      identity: stage.identity,
      signer: stage.archive(await stage.backUp()).trustedSigners[0],
    };
    await writeFile(join(folder, 'keys.json'), json(keys));
    const contents = await contentsAt(stage.lab.nodes[0], revision);
    await writeFile(join(folder, 'contents.json'), json([...contents]));
  } finally {
    await stage.stop();
  }
}

/** Keys that were rewritten and deleted, and enough that does not compress for an archive of several chunks. */
async function fill(node: LabNode) {
  const put = (name: string, value: string) =>
    node.etcdctl(['put', `/registry/configmaps/default/${name}`, value]);
  for (let i = 0; i < 20; i++) {
    await put(`settings-${i % 8}`, `round ${i}, with ümläuts and a 🔑`);
  }
  await node.etcdctl(['del', '/registry/configmaps/default/settings-7']);
  for (const name of ['large-1', 'large-2', 'large-3']) {
    await put(name, randomBytes(40 * 1024).toString('base64'));
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

makeFixtures(process.argv[2]);
