import { Readable } from 'node:stream';
import { ClientChannel } from 'ssh2';
import { widenChannelWindow } from './channelWindow';
import { commandLine, isCommandMissing, isSudoRefusal } from './commandLine';
import {
  commandFailed,
  commandMissing,
  commandTimeout,
  sudoRefused,
} from './failures';
import { interruptible } from './interruptible';
import { MachineAccess } from './Machine';
import { Sessions } from './sessions';

const STDERR_TAIL = 64 * 1024;

/** A command that runs on a machine. */
export interface RemoteCommand {
  channel: ClientChannel;
  /**
   * Waits until it has ended and its output was taken, and judges how it ended. Rejects at once when the
   * connection is lost, when the caller or `fail` cuts it off, or its time is up.
   */
  outcome(accept?: number[]): Promise<{ code: number; stderr: string }>;
  stderr(): string;
  /** Cuts it off: tells the command to stop, as far as the login user may, and leaves it. */
  fail(reason: unknown): void;
}

/** Starts a command; `timeoutMs` is for all of it, from the opening of its session on. */
export async function startCommand(
  on: { access: MachineAccess; sessions: Sessions; lost: AbortSignal },
  argv: string[],
  options: {
    root?: boolean;
    stdin: boolean;
    signal?: AbortSignal;
    timeoutMs?: number;
  },
): Promise<RemoteCommand> {
  const { access, sessions, lost } = on;
  const { root = true, stdin, signal, timeoutMs } = options;
  const sudo = root && access.user !== 'root';
  const line = commandLine(argv, { sudo, stdin });

  signal?.throwIfAborted();
  const cut = new AbortController();
  let stderr = () => '';
  const onAbort = () => cut.abort(signal!.reason);
  signal?.addEventListener('abort', onAbort);
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(
          () => cut.abort(commandTimeout(access, argv[0], timeoutMs, stderr())),
          timeoutMs,
        );
  const release = () => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  };

  let channel: ClientChannel;
  try {
    channel = await sessions.exec(line, cut.signal);
  } catch (error) {
    release();
    throw error;
  }
  widenChannelWindow(channel);
  stderr = tail(channel.stderr, STDERR_TAIL);

  const ending: { code?: number; signal?: string } = {};
  const ended = interruptible<void>(
    { signals: [lost, cut.signal] },
    resolve => {
      channel.on('exit', (code: number | null, killedBy?: string) => {
        ending.code = code ?? undefined;
        ending.signal = killedBy;
      });
      channel.on('close', () => resolve());
    },
  ).finally(release);
  ended.catch(() => {
    channel.signal('TERM');
    channel.close();
    channel.resume();
  });

  return {
    channel,
    stderr,
    fail: reason => cut.abort(reason),
    outcome: async (accept = [0]) => {
      await ended;
      const { code } = ending;
      const said = stderr();
      if (code === undefined) {
        throw commandFailed(access, argv[0], ending, said);
      }
      if (sudo && isSudoRefusal(code, said)) {
        throw sudoRefused(access, argv[0], said);
      }
      const isMissing = isCommandMissing(code, said, sudo);
      const posixCode = isMissing ? 127 : code;
      if (accept.includes(posixCode)) {
        return { code: posixCode, stderr: said };
      }
      throw isMissing
        ? commandMissing(access, argv[0], said)
        : commandFailed(access, argv[0], ending, said);
    },
  };
}

/** Keeps the last bytes of a stream that is read as it comes. */
function tail(stream: Readable, limit: number): () => string {
  let chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > 2 * limit) {
      chunks = [Buffer.concat(chunks).subarray(-limit)];
      size = limit;
    }
  });
  return () => Buffer.concat(chunks).subarray(-limit).toString('utf8');
}
