import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** How the directories of labs begin. */
export const DIRECTORY_PREFIX = 'cluster-backup-lab-';

/** Another process may have made a directory and be about to start its supervisor. */
const YOUNG_MS = 30_000;

/**
 * Removes what labs left whose supervisor was killed. A lab lives as long as a process names its directory on its
 * command line, as its supervisor does.
 */
export async function sweepDeadLabs(parent: string): Promise<void> {
  const directories = (await readdir(parent)).filter(name =>
    name.startsWith(DIRECTORY_PREFIX),
  );
  if (!directories.length) return;
  const lines = await commandLines();
  for (const name of directories) {
    const directory = join(parent, name);
    if (lines.some(line => line.includes(name))) continue;
    const { mtimeMs } = await stat(directory).catch(() => ({ mtimeMs: 0 }));
    if (Date.now() - mtimeMs < YOUNG_MS) continue;
    // Of another user, or just gone.
    await rm(directory, { recursive: true, force: true }).catch(() => {});
  }
}

async function commandLines(): Promise<string[]> {
  const processes = (await readdir('/proc')).filter(name => /^\d+$/.test(name));
  return Promise.all(
    processes.map(id =>
      readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => ''),
    ),
  );
}
