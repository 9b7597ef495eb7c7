import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What a command and everything that it started and waited for have used. */
export interface Usage {
  /** From its start to its end. */
  seconds: number;
  /** User and system time. */
  cpuSeconds: number;
  /** Of the largest process. */
  peakRssMiB: number;
}

const STDERR_TAIL = 4000;

/**
 * Runs a command to its end. Only the kernel knows what processes have used that are gone, and Node does not ask it.
 *
 * @param folder - where the report may lie
 * @throws Error when it ends with another code than 0
 */
export async function measured(
  folder: string,
  command: string[],
): Promise<Usage & { stdout: string }> {
  const report = join(folder, 'usage.json');
  const child = spawn(
    'python3',
    [resolve('test/bench/measure.py'), report, ...command],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => (stdout += chunk));
  child.stderr.on('data', chunk => {
    stderr = (stderr + chunk).slice(-STDERR_TAIL);
  });
  const code = await new Promise(done => child.on('close', done));
  if (code !== 0) {
    throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
  }
  return { ...JSON.parse(await readFile(report, 'utf8')), stdout };
}
