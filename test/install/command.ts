import { execFile } from 'node:child_process';

/** Runs a line of a shell in a folder; what it says is told when it fails. */
export function command(
  line: string,
  folder: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      'sh',
      ['-c', line],
      {
        cwd: folder,
        env: { ...process.env, ...environment },
        maxBuffer: 64 * 1024 * 1024,
      },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else reject(new Error(`${line}\n${stdout}\n${stderr}`.slice(-6000)));
      },
    );
  });
}
