import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Lab, LabOptions, makeSeed, startLab } from '@cluster-backup/lab';
import { clusterAccess, configure } from '../product';

/** One lab, and a folder in which both ways of working have what they need. */
export interface Workplace {
  lab: Lab;
  folder: string;
  recipient: string;
  identityFile: string;
  /** The operator's ssh knows the lab's machines by their names. */
  sshConfig: string;
  /** Our command line. */
  ours(verb: string, ...args: string[]): string[];
  /** An empty folder, for one run. */
  fresh(): Promise<string>;
}

/** Fills a lab, does something in it, and leaves nothing behind. */
export async function inWorkplace<T>(
  options: LabOptions & { sizeMiB: number },
  act: (place: Workplace) => Promise<T>,
): Promise<T> {
  const { sizeMiB, ...labOptions } = options;
  const folder = await mkdtemp(join(tmpdir(), 'cluster-backup-bench-'));
  try {
    const seed = await makeSeed({
      sizeMiB,
      directory: join(folder, 'seed'),
      cacheDirectory: resolve('.cache/lab'),
    });
    const lab = await startLab({ ...labOptions, seed: seed.snapshotPath });
    try {
      return await act(await furnish(lab, folder));
    } finally {
      await lab.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function furnish(lab: Lab, folder: string): Promise<Workplace> {
  const cluster = clusterAccess(lab);
  const { file, recipient, identityFile } = await configure(lab, folder);

  const known = join(lab.directory, 'access', 'known_hosts');
  const key = join(lab.directory, 'access', 'lab');
  const sshConfig = join(folder, 'ssh_config');
  const machines = [...cluster.controlPlane, ...cluster.workers];
  await writeFile(
    sshConfig,
    machines
      .map(
        ({ name, address, port, user }) => `Host ${name}
  HostName ${address}
  Port ${port}
  User ${user}
  IdentityFile ${key}
  IdentitiesOnly yes
  UserKnownHostsFile ${known}
  StrictHostKeyChecking yes
`,
      )
      .join(''),
  );

  let runs = 0;
  return {
    lab,
    folder,
    recipient,
    identityFile,
    sshConfig,
    ours: (verb, ...args) => [
      process.execPath,
      resolve('packages/cli/dist/cluster-backup.cjs'),
      ...[verb, '--config', file, '--output', 'json'],
      ...args,
    ],
    async fresh() {
      runs += 1;
      const path = join(folder, `run-${runs}`);
      await mkdir(path);
      return path;
    },
  };
}

/** What the run before has left to be written is not to be paid by the next. */
export async function settle(): Promise<void> {
  await promisify(execFile)('sync');
}
