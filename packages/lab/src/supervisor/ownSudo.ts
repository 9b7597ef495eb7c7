import { execFile } from 'node:child_process';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const PROGRAM = '/usr/bin/sudo';
const PLUGINS = ['/usr/libexec/sudo', '/usr/lib/sudo'];

/**
 * In a user namespace the machine's sudo belongs to nobody and refuses to work; there the node gets a copy that
 * belongs to its root.
 */
export async function placeOwnSudo(
  root: string,
  localBin: string,
): Promise<void> {
  const owned = await stat(PROGRAM).catch(() => undefined);
  if (!owned || owned.uid === 0) return;
  const own = join(localBin, 'sudo');
  // Node's own copying keeps owners.
  await run('cp', [PROGRAM, own]);
  await chmod(own, 0o4755);
  for (const folder of PLUGINS) {
    const found = await stat(folder).catch(() => undefined);
    if (!found) continue;
    const copies = '/opt/sudo';
    await mkdir(join(root, 'etc'), { recursive: true });
    await mkdir(join(root, 'opt'), { recursive: true });
    await run('cp', ['-r', folder, join(root, copies)]);
    await writeFile(
      join(root, 'etc/sudo.conf'),
      `Path plugin_dir ${copies}/\n`,
    );
    return;
  }
}
