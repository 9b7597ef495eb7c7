import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { Machine, RunOptions, RunResult } from '../../machine/Machine';

/** A connection of a {@link LocalMachine}, to be cut or frozen by a test. */
export interface LocalConnection {
  host: string;
  port: number;
  stream: Duplex;
}

export interface LocalMachine extends Machine {
  readonly connections: LocalConnection[];
  /** How many commands were run. */
  readonly commands: number;
}

/** This machine, without SSH; `prefix` is put before every command. */
export function localMachine(
  name = 'cp1',
  prefix: string[] = [],
): LocalMachine {
  const lost = new AbortController();
  const connections: LocalConnection[] = [];
  let commands = 0;
  const start = (argv: string[], signal?: AbortSignal) => {
    commands++;
    const [file, ...args] = [...prefix, ...argv];
    const child = spawn(file, args, { signal, stdio: 'pipe' });
    // A program need not read what it is given.
    child.stdin.on('error', () => {});
    return child;
  };
  async function finish(
    child: ReturnType<typeof start>,
    feed: () => Promise<unknown>,
    { accept = [0] }: RunOptions,
  ): Promise<RunResult> {
    const [[code], stdout, stderr] = await Promise.all([
      once(child, 'close') as Promise<[number]>,
      text(child.stdout),
      text(child.stderr),
      feed(),
    ]);
    if (!accept.includes(code)) {
      throw new Error(`${child.spawnargs.join(' ')}: ${code} ${stderr}`);
    }
    return { code, stdout, stderr };
  }
  return {
    name,
    hostKey: 'ssh-ed25519 AAAA',
    lost: lost.signal,
    connections,
    get commands() {
      return commands;
    },
    run(argv, options = {}) {
      const child = start(argv, options.signal);
      return finish(
        child,
        async () => child.stdin.end(options.input ?? ''),
        options,
      );
    },
    read(argv, options = {}): Readable {
      const child = start(argv, options.signal);
      child.stdin.end();
      const ended = once(child, 'close') as Promise<[number]>;
      ended.catch(() => {});
      return Readable.from(
        (async function* output() {
          yield* child.stdout;
          const [code] = await ended;
          if (code !== 0) {
            throw new Error(`${argv.join(' ')}: ${code}`);
          }
        })(),
        { objectMode: false },
      );
    },
    write(argv, source, options = {}) {
      const child = start(argv, options.signal);
      return finish(child, () => pipeline(source, child.stdin), options);
    },
    async dial(host, port) {
      const stream = connect({ host, port, noDelay: true });
      await once(stream, 'connect');
      connections.push({ host, port, stream });
      return stream;
    },
    async close() {
      lost.abort(new Error('closed'));
    },
  };
}
