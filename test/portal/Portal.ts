import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

// By name, as this may run from a bundle that lies elsewhere.
const { resolve } = createRequire(__filename);
const backend = dirname(resolve('backend/package.json'));

/** The checkout that this belongs to. */
export const checkout = dirname(dirname(backend));

const PATIENCE_MS = 180_000;

/** The real portal of this checkout, in a process of its own, on one address of this machine. */
export class Portal {
  private process?: ChildProcess;

  constructor(
    readonly url: string,
    /** Laid over app-config.yaml, the last one on top. */
    private readonly configurations: string[],
    /** What the portal says of itself is added to it. */
    private readonly logFile: string,
  ) {}

  /** Resolves when the portal is ready to serve. */
  async start(): Promise<void> {
    const log = openSync(this.logFile, 'a', 0o600);
    const files = [join(checkout, 'app-config.yaml'), ...this.configurations];
    // As backstage-cli starts a backend, without its watching. Whatever ends us ends the portal.
    this.process = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', process.execPath],
        ...['--require', resolve('@backstage/cli/config/nodeTransform.cjs')],
        'src/index.ts',
        ...files.flatMap(file => ['--config', file]),
      ],
      {
        cwd: backend,
        env: { ...process.env, NODE_ENV: 'production' },
        stdio: ['ignore', log, log],
        // A session of its own: Ctrl-C is for the one that started it.
        detached: true,
      },
    );
    closeSync(log);
    await this.ready();
  }

  /** As an orderly end of the portal's host has it. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** Without a word, as a lack of memory or of power has it. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const unwilling = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(unwilling);
  }

  private async ready(): Promise<void> {
    const begun = Date.now();
    while (Date.now() - begun < PATIENCE_MS) {
      const { exitCode, signalCode } = this.process!;
      if (exitCode !== null || signalCode !== null) break;
      try {
        const { ok } = await fetch(
          `${this.url}/.backstage/health/v1/readiness`,
        );
        if (ok) return;
      } catch {
        // It does not listen yet.
      }
      await sleep(100);
    }
    await this.kill();
    const said = readFileSync(this.logFile, 'utf8').split('\n').slice(-30);
    throw new Error(`The portal does not start:\n${said.join('\n')}`);
  }
}

/** A port of this machine that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
