import { ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BackupResult } from '@cluster-backup/engine';
import { Stage } from '../integration/stage';
import { EngineOrder, Point } from './engineOrder';

const CHECKOUT = resolve(__dirname, '../..');
const PROGRAM = resolve(CHECKOUT, 'test/dist/restoreUntil.cjs');

export interface Passed {
  step: string;
  machine: string;
  point: Point;
}

/** What became of an engine in a process of its own. */
export interface EngineEnd {
  signal: NodeJS.Signals | null;
  /** Every boundary that it passed. */
  passed: Passed[];
  failed?: { code: string; message: string; state: string };
}

export async function bundleEngine(): Promise<void> {
  await promisify(execFile)(
    resolve(CHECKOUT, 'scripts/bundle'),
    [resolve(CHECKOUT, 'test/faults/restoreUntil.ts'), PROGRAM],
    { cwd: CHECKOUT },
  );
}

/** An engine in a process of its own. */
export class EngineProcess {
  private readonly child: ChildProcess;
  private output = '';
  private readonly closed: Promise<unknown>;

  private constructor(orderFile: string) {
    this.child = spawn(process.execPath, [PROGRAM, orderFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child.stdout!.on('data', chunk => (this.output += chunk));
    this.closed = once(this.child, 'close');
  }

  static async start(
    stage: Stage,
    backup: BackupResult,
    what: Pick<EngineOrder, 'act' | 'end' | 'dieAfterMs'>,
  ): Promise<EngineProcess> {
    const { sha256, trustedSigners } = stage.archive(backup);
    const order: EngineOrder = {
      ...what,
      cluster: stage.access,
      store: join(stage.folder, 'store'),
      archive: { key: backup.key, sha256: sha256!, trustedSigners },
      identity: stage.identity,
    };
    const file = join(stage.folder, 'order.json');
    await writeFile(file, JSON.stringify(order), { mode: 0o600 });
    return new EngineProcess(file);
  }

  async ended(): Promise<EngineEnd> {
    await this.closed;
    const lines = this.output
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
    return {
      signal: this.child.signalCode,
      passed: lines.filter(line => line.step),
      failed: lines.find(line => line.failed)?.failed,
    };
  }

  /** Resolves when it has stopped itself. */
  async stopped(): Promise<void> {
    while (this.child.exitCode === null && this.child.signalCode === null) {
      const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8');
      if (/^.*\) T/.test(stat)) return;
      await sleep(50);
    }
    throw new Error(`It ended before it stopped: ${this.output}`);
  }

  /** Resolves when it has passed a boundary. */
  async reached(step: string, point: Point): Promise<void> {
    const line = new RegExp(`"step":"${step}",.*"point":"${point}"`);
    while (!line.test(this.output)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`It ended before ${step}: ${this.output}`);
      }
      await sleep(20);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}

/** An engine that runs to its end. */
export async function runEngine(
  ...order: Parameters<typeof EngineProcess.start>
): Promise<EngineEnd> {
  return (await EngineProcess.start(...order)).ended();
}
