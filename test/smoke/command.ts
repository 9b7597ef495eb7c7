import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { Lab } from '@cluster-backup/lab';
import { configure } from '../product';
import { Product } from './product';

/** The product as its command. */
export async function asCommand(lab: Lab, folder: string): Promise<Product> {
  const { file, identityFile } = await configure(lab, folder);
  const { clusterName } = lab.access();
  const command = (...args: string[]) => ours(file, clusterName, args);
  return {
    async check() {
      await command('check');
    },
    async backUp() {
      const { key, summary } = await command('backup');
      return {
        id: key,
        revision: summary.facts.revision,
        snapshotBytes: summary.description.snapshot.size,
        archiveBytes: summary.ciphertext.size,
      };
    },
    async restore({ id }) {
      const { outageSeconds, verified } = await command(
        ...['restore', '--yes', '--backup', id, '--identity', identityFile],
      );
      return { outageSeconds, bump: verified.bump };
    },
    async stop() {},
  };
}

/** Our command, in a process of its own, as a person runs it; its last line is its result. */
async function ours(config: string, cluster: string, args: string[]) {
  const [verb, ...rest] = args;
  const child = spawn(
    process.execPath,
    [
      resolve('packages/cli/dist/cluster-backup.cjs'),
      verb,
      ...['--config', config, '--cluster', cluster, '--output', 'json'],
      ...rest,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', chunk => (output += chunk));
  const code = await new Promise(done => child.on('close', done));
  if (code !== 0) throw new Error(`cluster-backup ${verb} ended with ${code}`);
  return JSON.parse(output.trim().split('\n').at(-1)!);
}
