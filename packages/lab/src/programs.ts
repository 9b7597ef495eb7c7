import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { kubernetesPrograms } from './kubeadm/plan';
import { SupervisorOptions } from './protocol';
import { standInBundles } from './bundle';

const run = promisify(execFile);

/** Finds what the lab runs. Without etcd 3.5 or newer there is no lab. */
export async function findPrograms(): Promise<SupervisorOptions['programs']> {
  const [etcd, etcdctl, etcdutl] = await Promise.all(
    ['etcd', 'etcdctl', 'etcdutl'].map(async name => {
      const found = await onPath(name);
      if (!found) {
        throw new Error(
          `The lab needs ${name} 3.5 or newer on PATH; ./dev setup brings it, and scripts/environment puts it there.`,
        );
      }
      return found;
    }),
  );
  const { stdout } = await run(etcd, ['--version']);
  const etcdVersion = /etcd Version: (\S+)/.exec(stdout)?.[1] ?? '3.5.0';
  const kubernetes: Record<string, string> = {};
  for (const name of kubernetesPrograms) {
    const found = await onPath(name);
    if (found) kubernetes[name] = found;
  }
  return {
    etcd,
    etcdctl,
    etcdutl,
    etcdVersion,
    kubernetes,
    standIns: standInBundles(),
  };
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (!folder || !existsSync(path)) continue;
    try {
      await access(path, constants.X_OK);
      return await realpath(path);
    } catch {
      // Not one that runs.
    }
  }
  return undefined;
}
