import { execFile } from 'node:child_process';
import {
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fillEtcd } from './fillEtcd';
import { makeObjects } from './objects';
import { seededRandom } from './random';
import { startThrowawayEtcd } from './throwawayEtcd';

/** To be raised whenever the same seed would give other objects. */
const generatorVersion = 1;

/** What to fill a lab with. @public */
export interface SeedOptions {
  /** size of the database file, free pages included; within 10 % */
  sizeMiB: number;
  /** where to work, and where to leave the snapshot when there is no cache */
  directory: string;
  /** where snapshots of earlier runs are found and this one is left */
  cacheDirectory?: string;
  /** another number gives other objects (default 1) */
  seed?: number;
}

/** An etcd snapshot full of objects. @public */
export interface Seed {
  snapshotPath: string;
  /** etcd's revision in the snapshot; it is compacted there */
  revision: number;
  /** how many keys are below /registry */
  keys: number;
}

async function cached(path: string): Promise<Seed | undefined> {
  try {
    const { revision, keys } = JSON.parse(
      await readFile(`${path}.json`, 'utf8'),
    );
    await stat(path);
    return { snapshotPath: path, revision, keys };
  } catch {
    return undefined;
  }
}

/** Renames, also from one filesystem to another; the target is whole or absent. */
async function moveInto(from: string, to: string) {
  const beside = `${to}.${process.pid}.partial`;
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    try {
      await copyFile(from, beside);
      await rename(beside, to);
    } finally {
      await rm(beside, { force: true });
    }
  }
}

/**
 * Makes an etcd snapshot of about `sizeMiB` MiB of believable objects: 80 %
 * protobuf, 20 % custom resources, five revisions each, compacted, about
 * 30 % of the file free. Wants `etcd` and `etcdctl` on PATH.
 *
 * The namespace kube-system is not in it: the API server of the lab makes it,
 * with a uid that no other cluster has.
 *
 * @public
 */
export async function makeSeed(options: SeedOptions): Promise<Seed> {
  const { sizeMiB, directory, cacheDirectory = directory, seed = 1 } = options;
  await mkdir(cacheDirectory, { recursive: true });
  await mkdir(directory, { recursive: true });
  const path = join(
    cacheDirectory,
    `seed-v${generatorVersion}-${seed}-${sizeMiB}MiB.db`,
  );
  const found = await cached(path);
  if (found) return found;

  const scratch = await mkdtemp(join(directory, 'seed-'));
  try {
    const server = await startThrowawayEtcd(join(scratch, 'data'));
    try {
      const filled = await fillEtcd(
        server.etcd,
        makeObjects(seededRandom(seed)),
        sizeMiB * 2 ** 20,
      );
      const partial = join(scratch, 'snapshot.db');
      await promisify(execFile)('etcdctl', [
        `--endpoints=${server.endpoint}`,
        '--command-timeout=120s',
        'snapshot',
        'save',
        partial,
      ]);
      await moveInto(partial, path);
      // written last: it says that the snapshot is whole
      await writeFile(join(scratch, 'facts.json'), JSON.stringify(filled));
      await moveInto(join(scratch, 'facts.json'), `${path}.json`);
      return { snapshotPath: path, ...filled };
    } finally {
      await server.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
