import { execFile } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// By name, as this may run from a bundle that lies elsewhere in the checkout.
const packageRoot = dirname(
  createRequire(__filename).resolve('@cluster-backup/lab/package.json'),
);
const sources = join(packageRoot, 'src');
const output = join(packageRoot, 'dist');

/** The checkout that this package belongs to. */
export const checkout = resolve(packageRoot, '..', '..');

/** The lab's programs: bundle and where it begins. */
const programs: Record<string, string> = {
  'supervisor.cjs': 'supervisor/main.ts',
  'front.cjs': 'front/main.ts',
  'agent.cjs': 'node/agent.ts',
  'tools.cjs': 'tools/main.ts',
  'cli.cjs': 'main.ts',
  'apiserver.cjs': 'apiserver/main.ts',
  'controllerManager.cjs': 'apiserver/controllerManager.ts',
  'scheduler.cjs': 'apiserver/scheduler.ts',
};

/** Where a bundle lies. */
export function bundlePath(name: string): string {
  return join(output, name);
}

/** What stands in for Kubernetes' own programs where the machine has none. */
export function standInBundles(): Record<string, string> {
  return Object.fromEntries(
    Object.entries({
      'kube-apiserver': 'apiserver.cjs',
      'kube-controller-manager': 'controllerManager.cjs',
      'kube-scheduler': 'scheduler.cjs',
    }).filter(([, bundle]) => existsSync(bundlePath(bundle))),
  );
}

let bundling: Promise<void> = Promise.resolve();

/** Bundles the lab's programs where their sources are newer than what lies there. */
export function bundlePrograms(): Promise<void> {
  // Labs that start side by side write to one place.
  bundling = bundling.catch(() => {}).then(bundleStale);
  return bundling;
}

async function bundleStale(): Promise<void> {
  const entries = Object.entries(programs).filter(([, source]) =>
    existsSync(join(sources, source)),
  );
  const newest = newestSource(sources);
  const stale = entries.filter(([name]) => {
    const path = bundlePath(name);
    return !existsSync(path) || statSync(path).mtimeMs < newest;
  });
  if (!stale.length) return;
  await mkdir(output, { recursive: true });
  // As a program of its own: its library does not run inside of test frameworks' sandboxes.
  const esbuild = createRequire(__filename).resolve('esbuild/bin/esbuild');
  const mine = join(output, `.${process.pid}`);
  const own = dirname(process.execPath);
  const argv = [
    ...stale.map(
      ([name, source]) =>
        `${name.replace(/\.cjs$/, '')}=${join(sources, source)}`,
    ),
    ...['--bundle', '--platform=node', '--format=cjs', '--target=node22'],
    ...['--packages=external', '--out-extension:.js=.cjs', '--log-level=error'],
    `--outdir=${mine}`,
  ];
  await run(esbuild, argv, {
    env: { ...process.env, PATH: `${own}${delimiter}${process.env.PATH}` },
  });
  for (const [name] of stale) await rename(join(mine, name), bundlePath(name));
  await rm(mine, { recursive: true, force: true });
}

function newestSource(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map(entry => statSync(join(entry.parentPath, entry.name)).mtimeMs)
    .reduce((newest, time) => Math.max(newest, time), 0);
}
