import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkout, freePort } from '../portal/Portal';
import { command } from './command';

const CREATE_APP = '@backstage/create-app@0.9.2';
const PATIENCE_MS = 300_000;

/** A portal as Backstage's own tool makes it, for release 1.55. */
export class StockPortal {
  private process?: ChildProcess;

  private constructor(
    readonly folder: string,
    readonly url: string,
    readonly backendUrl: string,
    /** What its Yarn needs to know of this machine. */
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async create(parent: string): Promise<StockPortal> {
    await command(
      `npx --yes ${CREATE_APP} --path portal --skip-install`,
      parent,
      { BACKSTAGE_APP_NAME: 'portal' },
    );
    // npm refuses to tell inside a workspace.
    const registry = await command('npm config get registry', '/');
    const portal = new StockPortal(
      join(parent, 'portal'),
      `http://127.0.0.1:${await freePort()}`,
      `http://127.0.0.1:${await freePort()}`,
      {
        YARN_NPM_REGISTRY_SERVER: registry.trim(),
        // Yarn looks for declarations of what is added at a service of its own, and dies when it is out of reach.
        YARN_TS_ENABLE_AUTO_TYPES: 'false',
        // Or Yarn refuses to add anything.
        CI: '',
        // The test's own would be another.
        NODE_ENV: 'development',
      },
    );
    // The versions of native programs that this checkout is tested with.
    const ours = await readFile(join(checkout, 'package.json'), 'utf8');
    await portal.resolve(JSON.parse(ours).resolutions);
    return portal;
  }

  async resolve(resolutions: Record<string, string>): Promise<void> {
    const file = join(this.folder, 'package.json');
    const manifest = JSON.parse(await readFile(file, 'utf8'));
    manifest.resolutions = { ...manifest.resolutions, ...resolutions };
    await writeFile(file, JSON.stringify(manifest, null, 2));
  }

  run(line: string): Promise<string> {
    return command(line, this.folder, this.environment);
  }

  /** Its own addresses, and whatever else a portal's owner writes down. */
  async configure(configuration: object): Promise<void> {
    const port = (url: string) => Number(new URL(url).port);
    await writeFile(
      join(this.folder, 'app-config.local.yaml'),
      JSON.stringify({
        app: {
          baseUrl: this.url,
          listen: { host: '127.0.0.1', port: port(this.url) },
        },
        backend: {
          baseUrl: this.backendUrl,
          listen: { host: '127.0.0.1', port: port(this.backendUrl) },
          cors: { origin: this.url },
        },
        ...configuration,
      }),
    );
  }

  /** As its owner does in development. */
  async start(): Promise<void> {
    const file = join(this.folder, 'portal.log');
    const log = openSync(file, 'a');
    this.process = spawn('yarn', ['start'], {
      cwd: this.folder,
      env: { ...process.env, ...this.environment, BROWSER: 'none' },
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    const begun = Date.now();
    while (Date.now() - begun < PATIENCE_MS) {
      if (this.process.exitCode !== null) break;
      if (
        (await answers(`${this.backendUrl}/.backstage/health/v1/readiness`)) &&
        (await answers(this.url))
      ) {
        return;
      }
      await sleep(500);
    }
    throw new Error(
      `The portal does not start:\n${readFileSync(file, 'utf8').slice(-6000)}`,
    );
  }

  async stop(): Promise<void> {
    const child = this.process;
    if (!child?.pid || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    // Yarn, what it started, and what that started.
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
