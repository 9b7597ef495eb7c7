import { Duplex, Readable } from 'node:stream';
import { Connection } from './connection';
import { dialForwarded, dialOverExec } from './dial';
import { commandEndedEarly, outputTooLong } from './failures';
import { feed } from './feed';
import { publicKeyLine } from './hostKeys';
import { Machine, MachineAccess, RunOptions, RunResult } from './Machine';
import { RemoteCommand, startCommand } from './remoteCommand';
import { Sessions } from './sessions';

const RUN_MS = 60_000;
const MAX_OUTPUT = 1024 * 1024;
/** Chunks, which are those of SSH: at most 32 KiB each. */
const READ_AHEAD = 32;

/** {@link Machine} over one SSH connection. */
export class SshMachine implements Machine {
  readonly name: string;
  readonly hostKey: string;
  readonly lost: AbortSignal;
  private readonly sessions: Sessions;
  private readonly stopping = new Set<Promise<void>>();
  private isForwardingForbidden = false;

  constructor(
    private readonly access: MachineAccess,
    private readonly connection: Connection,
    /** The machine that the connection goes through; closed with it. */
    private readonly jump?: Machine,
  ) {
    this.name = access.name;
    this.hostKey = publicKeyLine(connection.hostKey);
    this.lost = connection.lost;
    this.sessions = new Sessions(access, connection);
  }

  async run(argv: string[], options: RunOptions = {}): Promise<RunResult> {
    const { input, root, signal, accept, timeoutMs = RUN_MS } = options;
    const command = await this.start(argv, {
      root,
      signal,
      timeoutMs,
      stdin: input !== undefined,
    });
    const stdout = this.collect(argv, command, options.maxOutput);
    if (input !== undefined) {
      command.channel.end(input);
    }
    const { code, stderr } = await command.outcome(accept);
    return { code, stdout: stdout(), stderr };
  }

  read(
    argv: string[],
    options: Pick<RunOptions, 'root' | 'signal'> = {},
  ): Readable {
    const cut = new AbortController();
    const { root } = options;
    const signal = options.signal
      ? AbortSignal.any([options.signal, cut.signal])
      : cut.signal;
    let command: RemoteCommand | undefined;
    const output: Readable = new Readable({
      // Of chunks as they come: as a stream of bytes, `for await` would copy each megabyte into one.
      objectMode: true,
      highWaterMark: READ_AHEAD,
      read() {
        command?.channel.resume();
      },
      destroy(error, done) {
        cut.abort(error ?? new Error('The reader left.'));
        done(error);
      },
    });
    const follow = async () => {
      command = await this.start(argv, { root, signal, stdin: false });
      const { channel } = command;
      channel.on('data', (chunk: Buffer) => {
        if (!output.destroyed && !output.push(chunk)) {
          channel.pause();
        }
      });
      await command.outcome();
      output.push(null);
    };
    follow().catch(error => output.destroy(error));
    return output;
  }

  async write(
    argv: string[],
    source: AsyncIterable<Uint8Array>,
    options: Pick<RunOptions, 'root' | 'signal' | 'maxOutput'> = {},
  ): Promise<RunResult> {
    const { root, signal } = options;
    const command = await this.start(argv, { root, signal, stdin: true });
    const stdout = this.collect(argv, command, options.maxOutput);
    const outcome = command.outcome();
    try {
      const isFed = await feed(command.channel, source, outcome);
      const { code, stderr } = await outcome;
      if (!isFed) {
        throw commandEndedEarly(this.access, argv[0], stderr);
      }
      return { code, stdout: stdout(), stderr };
    } catch (error) {
      command.fail(error);
      throw error;
    }
  }

  async dial(host: string, port: number): Promise<Duplex> {
    const target = { access: this.access, host, port };
    const forwarded =
      !this.isForwardingForbidden &&
      (await dialForwarded(this.connection, target));
    if (forwarded) {
      return forwarded;
    }
    this.isForwardingForbidden = true;
    return dialOverExec(
      argv => this.start(argv, { root: false, stdin: true }),
      this.lost,
      target,
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.stopping);
    await this.connection.close();
    await this.jump?.close();
  }

  private start(
    argv: string[],
    options: Parameters<typeof startCommand>[2],
  ): Promise<RemoteCommand> {
    const { access, sessions, lost, stopping } = this;
    return startCommand({ access, sessions, lost, stopping }, argv, options);
  }

  /** Keeps what a command prints, up to a limit. */
  private collect(
    argv: string[],
    command: RemoteCommand,
    limit: number = MAX_OUTPUT,
  ): () => string {
    const chunks: Buffer[] = [];
    let size = 0;
    command.channel.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else {
        command.fail(outputTooLong(this.access, argv[0], limit));
      }
    });
    return () => Buffer.concat(chunks).toString('utf8');
  }
}
