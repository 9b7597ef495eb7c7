import { Duplex, Readable } from 'node:stream';
import { ClientChannel } from 'ssh2';
import { channelDuplex } from './channelDuplex';
import { widenChannelWindow } from './channelWindow';
import { commandLine, isCommandMissing, isSudoRefusal } from './commandLine';
import { Connection } from './connection';
import { TUNNEL_GREETING, tunnelCommand } from './execTunnel';
import {
  commandEndedEarly,
  commandFailed,
  commandMissing,
  commandTimeout,
  connectionClosed,
  dialClosed,
  dialForbidden,
  dialRefused,
  messageOf,
  outputTooLong,
  sessionRefused,
  shellNoisy,
  shellUnsupported,
  sudoRefused,
} from './failures';
import { publicKeyLine } from './hostKeys';
import { Machine, MachineAccess, RunOptions, RunResult } from './Machine';

const RUN_MS = 60_000;
const OPEN_MS = 20_000;
const DIAL_MS = 15_000;
const PROBE_MS = 20_000;
const MAX_OUTPUT = 1024 * 1024;
const STDERR_TAIL = 64 * 1024;
const READ_AHEAD = 1024 * 1024;

/** RFC 4254, 5.1: reasons why a channel is not opened. */
const ADMINISTRATIVELY_PROHIBITED = 1;
const RESOURCE_SHORTAGE = 4;
const CONNECT_FAILED = 2;

/** What every shell but a POSIX one gets wrong somewhere, and what noise would come before. */
const PROBE = `cluster-backup: '"\\\\ \\' !! $HOME \`:\` {a,b} *\n%;`;

interface Ending {
  code?: number;
  signal?: string;
}

/** A command that runs. */
interface Running {
  channel: ClientChannel;
  /** Settles when the command has ended and all of its output was taken; rejects when the connection is lost. */
  ended: Promise<Ending>;
  stderr(): string;
  /** Asks the command to stop, as far as its user may, and leaves. */
  abandon(): void;
}

/** {@link Machine} over one SSH connection. */
export class SshMachine implements Machine {
  readonly name: string;
  readonly hostKey: string;
  readonly lost: AbortSignal;
  private sessions = 0;
  private readonly sessionEnded = new EventTarget();
  private forwardingForbidden = false;

  constructor(
    private readonly access: MachineAccess,
    private readonly connection: Connection,
    /** What to close after this. */
    private readonly jump?: Machine,
  ) {
    this.name = access.name;
    this.hostKey = publicKeyLine(connection.hostKey);
    this.lost = connection.lost;
  }

  /**
   * Opens the first session, upon which sshd switches off Nagle's delay, and makes sure that the login shell
   * hands commands over untouched.
   */
  async probe(signal?: AbortSignal): Promise<void> {
    const { stdout, stderr } = await this.run(['printf', '%s', PROBE], {
      root: false,
      signal,
      timeoutMs: PROBE_MS,
      accept: Array.from({ length: 256 }, (_, code) => code),
    });
    if (stdout === PROBE) {
      return;
    }
    if (stdout.includes(PROBE)) {
      throw shellNoisy(this.access, stdout.replace(PROBE, '').slice(0, 2048));
    }
    throw shellUnsupported(this.access, `${stdout}${stderr}`.slice(0, 2048));
  }

  /** For jump hosts, which need not have a shell: a session, if there can be one. */
  async openAnySession(signal?: AbortSignal): Promise<void> {
    await this.run(['true'], { root: false, signal, timeoutMs: 5_000 }).catch(
      () => undefined,
    );
    signal?.throwIfAborted();
    this.lost.throwIfAborted();
  }

  async run(argv: string[], options: RunOptions = {}): Promise<RunResult> {
    const { input, timeoutMs = RUN_MS, accept = [0] } = options;
    return this.withDeadline(argv, timeoutMs, options.signal, async scope => {
      const running = await this.start(argv, {
        root: options.root,
        stdin: input !== undefined,
        signal: scope.signal,
      });
      scope.entered(running);
      const stdout = this.collect(argv, running, options.maxOutput);
      if (input !== undefined) {
        running.channel.end(input);
      }
      const ending = await Promise.race([running.ended, stdout.failed]);
      return {
        ...this.judge(argv, options.root, ending, running.stderr(), accept),
        stdout: stdout.text(),
      };
    });
  }

  read(
    argv: string[],
    options: Pick<RunOptions, 'root' | 'signal'> = {},
  ): Readable {
    const { root, signal } = options;
    let running: Running | undefined;
    const opening = new AbortController();
    const onAbort = () => output.destroy(signal!.reason);
    const output = new Readable({
      highWaterMark: READ_AHEAD,
      read() {
        running?.channel.resume();
      },
      destroy(error, done) {
        signal?.removeEventListener('abort', onAbort);
        opening.abort(error ?? new Error('The stream was destroyed.'));
        running?.abandon();
        done(error);
      },
    });
    const follow = async () => {
      running = await this.start(argv, {
        root,
        stdin: false,
        signal: opening.signal,
      });
      const { channel } = running;
      channel.on('data', (chunk: Buffer) => {
        if (!output.destroyed && !output.push(chunk)) {
          channel.pause();
        }
      });
      const ending = await running.ended;
      this.judge(argv, root, ending, running.stderr(), [0]);
      output.push(null);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) {
      onAbort();
    } else {
      follow().catch(error => output.destroy(error));
    }
    return output;
  }

  async write(
    argv: string[],
    source: AsyncIterable<Uint8Array>,
    options: Pick<RunOptions, 'root' | 'signal' | 'maxOutput'> = {},
  ): Promise<RunResult> {
    return this.withDeadline(argv, undefined, options.signal, async scope => {
      const running = await this.start(argv, {
        root: options.root,
        stdin: true,
        signal: scope.signal,
      });
      scope.entered(running);
      const stdout = this.collect(argv, running, options.maxOutput);
      const ended = Promise.race([running.ended, stdout.failed]);
      const isFed = await feed(running.channel, source, ended, scope.signal);
      const ending = await ended;
      const result = this.judge(argv, options.root, ending, running.stderr(), [
        0,
      ]);
      if (!isFed) {
        throw commandEndedEarly(this.access, argv[0], running.stderr());
      }
      return { ...result, stdout: stdout.text() };
    });
  }

  async dial(host: string, port: number): Promise<Duplex> {
    if (this.forwardingForbidden) {
      return this.dialOverExec(host, port);
    }
    try {
      return await this.dialForwarded(host, port);
    } catch (error) {
      if (reasonOf(error) !== ADMINISTRATIVELY_PROHIBITED) {
        throw error;
      }
      this.forwardingForbidden = true;
      return this.dialOverExec(host, port);
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
    await this.jump?.close();
  }

  private dialForwarded(host: string, port: number): Promise<Duplex> {
    const target = `${host}:${port}`;
    return new Promise((resolve, reject) => {
      this.lost.throwIfAborted();
      let isOver = false;
      const fail = (error: unknown) => {
        isOver = true;
        clearTimeout(timer);
        this.lost.removeEventListener('abort', onLost);
        reject(error);
      };
      const onLost = () => fail(this.lost.reason);
      const timer = setTimeout(
        () =>
          fail(
            dialRefused(
              this.access,
              target,
              `no answer within ${DIAL_MS / 1000} s`,
            ),
          ),
        DIAL_MS,
      );
      this.lost.addEventListener('abort', onLost, { once: true });
      this.connection.client.forwardOut(
        '127.0.0.1',
        0,
        host,
        port,
        (error, channel) => {
          if (isOver) {
            channel?.close();
          } else if (error) {
            fail(
              reasonOf(error) === CONNECT_FAILED
                ? dialRefused(this.access, target, openFailure(error))
                : error,
            );
          } else {
            clearTimeout(timer);
            this.lost.removeEventListener('abort', onLost);
            widenChannelWindow(channel);
            resolve(
              channelDuplex(channel, {
                lost: this.lost,
                closedError: () => dialClosed(this.access, target),
              }),
            );
          }
        },
      );
    });
  }

  private async dialOverExec(host: string, port: number): Promise<Duplex> {
    const target = `${host}:${port}`;
    return this.withDeadline(
      ['bash'],
      DIAL_MS,
      undefined,
      async scope => {
        const running = await this.start(tunnelCommand(host, port), {
          root: false,
          stdin: true,
          signal: scope.signal,
        });
        scope.entered(running);
        const { channel } = running;
        const head = await readGreeting(channel, running.ended);
        if (!head) {
          const stderr = running.stderr().trim();
          throw /\/dev\/tcp\//.test(stderr) &&
            !/No such file or directory$/m.test(stderr)
            ? dialRefused(this.access, target, bashReason(stderr))
            : dialForbidden(this.access, target, stderr);
        }
        return channelDuplex(channel, {
          lost: this.lost,
          closedError: () => dialClosed(this.access, target),
          head,
          abandon: running.abandon,
        });
      },
      () =>
        dialRefused(
          this.access,
          target,
          `no answer within ${DIAL_MS / 1000} s`,
        ),
    );
  }

  /**
   * Runs a task that is cut off by its deadline or by the caller, and makes sure that a command which was
   * started does not outlive it unasked.
   */
  private async withDeadline<T>(
    argv: string[],
    timeoutMs: number | undefined,
    callerSignal: AbortSignal | undefined,
    task: (scope: {
      signal: AbortSignal;
      entered(running: Running): void;
    }) => Promise<T>,
    timedOut?: () => Error,
  ): Promise<T> {
    callerSignal?.throwIfAborted();
    const scope = new AbortController();
    let running: Running | undefined;
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => scope.abort(callerSignal!.reason);
    const cut = new Promise<never>((_, reject) => {
      scope.signal.addEventListener('abort', () => reject(scope.signal.reason));
    });
    callerSignal?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== undefined) {
      timer = setTimeout(
        () =>
          scope.abort(
            timedOut?.() ??
              commandTimeout(
                this.access,
                argv[0],
                timeoutMs,
                running?.stderr() ?? '',
              ),
          ),
        timeoutMs,
      );
    }
    try {
      return await Promise.race([
        cut,
        task({
          signal: scope.signal,
          entered: started => {
            running = started;
          },
        }),
      ]);
    } catch (error) {
      scope.abort(error);
      running?.abandon();
      throw error;
    } finally {
      clearTimeout(timer);
      callerSignal?.removeEventListener('abort', onAbort);
    }
  }

  private async start(
    argv: string[],
    options: { root?: boolean; stdin: boolean; signal?: AbortSignal },
  ): Promise<Running> {
    const { root = true, stdin, signal } = options;
    const line = commandLine(argv, {
      sudo: root && this.access.user !== 'root',
      stdin,
    });
    const channel = await this.openSession(line, signal);
    widenChannelWindow(channel);
    const stderr = tail(channel.stderr, STDERR_TAIL);
    let isOver = false;
    const ended = new Promise<Ending>((resolve, reject) => {
      const ending: Ending = {};
      const onLost = () => {
        isOver = true;
        reject(this.lost.reason);
      };
      channel.on('exit', (code: number | null, killedBy?: string) => {
        ending.code = code ?? undefined;
        ending.signal = killedBy;
      });
      channel.on('close', () => {
        isOver = true;
        this.lost.removeEventListener('abort', onLost);
        resolve(ending);
      });
      this.lost.addEventListener('abort', onLost, { once: true });
      if (this.lost.aborted) {
        onLost();
      }
    });
    ended.catch(() => undefined);
    return {
      channel,
      ended,
      stderr,
      abandon: () => {
        if (!isOver) {
          channel.signal('TERM');
          channel.close();
          channel.resume();
        }
      },
    };
  }

  /** sshd allows a number of sessions at a time (MaxSessions): beyond it, the next waits for one to end. */
  private async openSession(
    line: string,
    signal?: AbortSignal,
  ): Promise<ClientChannel> {
    for (;;) {
      try {
        return await this.tryOpenSession(line, signal);
      } catch (error) {
        if (
          reasonOf(error) !== ADMINISTRATIVELY_PROHIBITED &&
          reasonOf(error) !== CONNECT_FAILED &&
          reasonOf(error) !== RESOURCE_SHORTAGE
        ) {
          throw error;
        }
        if (this.sessions === 0) {
          throw sessionRefused(this.access, openFailure(error));
        }
        await this.nextSessionEnd(signal);
      }
    }
  }

  private nextSessionEnd(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.sessionEnded.removeEventListener('ended', onEnded);
        this.lost.removeEventListener('abort', onLost);
        signal?.removeEventListener('abort', onAbort);
      };
      const onEnded = () => {
        settle();
        resolve();
      };
      const onLost = () => {
        settle();
        reject(this.lost.reason);
      };
      const onAbort = () => {
        settle();
        reject(signal!.reason);
      };
      this.sessionEnded.addEventListener('ended', onEnded);
      this.lost.addEventListener('abort', onLost);
      signal?.addEventListener('abort', onAbort);
    });
  }

  private tryOpenSession(
    line: string,
    signal?: AbortSignal,
  ): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.lost.throwIfAborted();
      signal?.throwIfAborted();
      let isOver = false;
      const settle = () => {
        isOver = true;
        clearTimeout(timer);
        this.lost.removeEventListener('abort', onLost);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const onLost = () => fail(this.lost.reason);
      const onAbort = () => fail(signal!.reason);
      const timer = setTimeout(
        () =>
          fail(
            sessionRefused(this.access, `no answer within ${OPEN_MS / 1000} s`),
          ),
        OPEN_MS,
      );
      this.lost.addEventListener('abort', onLost, { once: true });
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        this.connection.client.exec(line, (error, channel) => {
          if (isOver) {
            channel?.close();
          } else if (error) {
            fail(error);
          } else {
            settle();
            this.sessions++;
            channel.on('close', () => {
              this.sessions--;
              this.sessionEnded.dispatchEvent(new Event('ended'));
            });
            resolve(channel);
          }
        });
      } catch (error) {
        fail(connectionClosed(this.access));
      }
    });
  }

  private collect(
    argv: string[],
    running: Running,
    limit: number = MAX_OUTPUT,
  ): { failed: Promise<never>; text(): string } {
    const chunks: Buffer[] = [];
    let size = 0;
    const failed = new Promise<never>((_, reject) => {
      running.channel.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > limit) {
          chunks.length = 0;
          reject(outputTooLong(this.access, argv[0], limit));
        } else {
          chunks.push(chunk);
        }
      });
    });
    failed.catch(() => undefined);
    return { failed, text: () => Buffer.concat(chunks).toString('utf8') };
  }

  private judge(
    argv: string[],
    root: boolean = true,
    ending: Ending,
    stderr: string,
    accept: number[],
  ): { code: number; stderr: string } {
    const [command] = argv;
    const sudo = root && this.access.user !== 'root';
    const { code } = ending;
    if (code === undefined) {
      throw commandFailed(this.access, command, ending, stderr);
    }
    if (sudo && isSudoRefusal(code, stderr)) {
      throw sudoRefused(this.access, command, stderr);
    }
    const isMissing = isCommandMissing(code, stderr, sudo);
    const posixCode = isMissing ? 127 : code;
    if (accept.includes(posixCode)) {
      return { code: posixCode, stderr };
    }
    throw isMissing
      ? commandMissing(this.access, command, stderr)
      : commandFailed(this.access, command, ending, stderr);
  }
}

/** @returns whether the command took it all; false when it ended first. */
async function feed(
  channel: ClientChannel,
  source: AsyncIterable<Uint8Array>,
  ended: Promise<Ending>,
  signal: AbortSignal,
): Promise<boolean> {
  const over = ended.then(
    () => 'over' as const,
    () => 'over' as const,
  );
  const iterator = source[Symbol.asyncIterator]();
  let isFinished = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), over]);
      if (next === 'over' || signal.aborted) {
        return false;
      }
      if (next.done) {
        isFinished = true;
        channel.end();
        return true;
      }
      if (!channel.write(next.value)) {
        await Promise.race([drained(channel), over]);
      }
    }
  } catch (error) {
    isFinished = true;
    throw error;
  } finally {
    if (!isFinished) {
      // Not waited for: a source that hangs must not hold up the failure.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
    }
  }
}

function drained(channel: ClientChannel): Promise<void> {
  return new Promise(resolve => {
    channel.once('drain', resolve);
  });
}

/** @returns what came after the greeting; undefined when the tunnel ended without one. */
function readGreeting(
  channel: ClientChannel,
  ended: Promise<Ending>,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      if (head.length >= TUNNEL_GREETING.length) {
        channel.pause();
        channel.removeListener('data', onData);
        resolve(head.subarray(TUNNEL_GREETING.length));
      }
    };
    channel.on('data', onData);
    ended.then(() => resolve(undefined), reject);
  });
}

/** Keeps the last bytes of a stream that is read as it comes. */
function tail(stream: Readable, limit: number): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  const text = () => Buffer.concat(chunks).subarray(-limit).toString('utf8');
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 2 * limit) {
      chunks = [Buffer.concat(chunks).subarray(-limit)];
      size = limit;
    }
  });
  return text;
}

function reasonOf(error: unknown): number | undefined {
  return (error as { reason?: number } | undefined)?.reason;
}

/** ssh2 puts words of its own before those of sshd. */
function openFailure(error: unknown): string {
  return messageOf(error).replace(/^\(SSH\) Channel open failure: /, '');
}

function bashReason(stderr: string): string {
  const [first] = stderr.split('\n');
  return first.replace(/^.*: (?=[^:]*$)/, '');
}
