import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs one of Debian's tools on bytes; its failure is a result, not an exception. */
export function runTool(
  command: string,
  args: string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', chunk => stdout.push(chunk));
    child.stderr.on('data', chunk => (stderr += chunk));
    // A tool that has seen enough closes its input.
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', code =>
      resolve({ code, stdout: Buffer.concat(stdout), stderr }),
    );
    child.stdin.end(input);
  });
}

export async function withDirectory<T>(
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'cluster-backup-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
