import { ChildProcess, spawn, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { nodeInit } from './nodeInit';

/** Runs a program that dies with this process, whatever ends it. */
export function spawnBound(
  argv: string[],
  options: SpawnOptions,
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], options);
}

/** The namespaces of one node, held by its process 1. */
export interface NodeNamespaces {
  /** Process 1 of the node as this machine sees it. */
  pid: number;
  /** Puts a command line into the node. */
  enter(argv: string[]): string[];
  /** Starts the agent. */
  go(): Promise<void>;
  /** Ends every process of the node; resolves when none is left. */
  destroy(): Promise<void>;
}

/** @param environment - What {@link nodeInit} asks for. */
export async function createNode(
  environment: Record<string, string>,
  log: number,
): Promise<NodeNamespaces> {
  const holder = spawnBound(
    [
      ...['unshare', '--fork', '--kill-child', '--pid', '--net', '--mount'],
      ...['--uts', '--ipc', '--', 'bash', '--norc', '-c', nodeInit],
    ],
    {
      stdio: ['pipe', 'pipe', log],
      env: { PATH: process.env.PATH, ...environment },
    },
  );
  const ended = once(holder, 'exit');
  holder.stdin?.on('error', () => {});
  const lines = createInterface({ input: holder.stdout! })[
    Symbol.asyncIterator
  ]();
  const expect = async (word: string) => {
    const { value, done } = await lines.next();
    if (done || !value.startsWith(word)) {
      throw new Error(
        `The namespaces of ${environment.LAB_NAME} could not be made; see its log.`,
      );
    }
    return value.slice(word.length).trim();
  };
  const pid = Number(await expect('pid'));
  await expect('mounted');
  return {
    pid,
    enter: argv => [...enterNode(pid), ...argv],
    go: async () => {
      holder.stdin!.write('go\n');
      await expect('ready');
    },
    destroy: async () => {
      if (holder.exitCode === null && holder.signalCode === null) {
        // Process 1 cannot be killed from inside, from here it can; all others of its namespace end with it.
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          holder.kill('SIGKILL');
        }
      }
      await ended;
    },
  };
}

/** The words before a command that runs it inside a node, for the supervisor and for the one that started it. */
export function enterNode(pid: number): string[] {
  const outside = process.getuid?.() !== 0;
  return [
    ...['nsenter', '-t', String(pid)],
    ...(outside ? ['-U', '--preserve-credentials'] : []),
    ...['-m', '-n', '-p', '-u', '-i', '--'],
  ];
}
