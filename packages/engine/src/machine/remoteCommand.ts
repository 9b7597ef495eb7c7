import { Readable } from 'node:stream';
import { ClientChannel } from 'ssh2';
import {
  commandLine,
  isCommandMissing,
  isSudoRefusal,
  takeProcessId,
  terminateCommand,
} from './commandLine';
import {
  commandFailed,
  commandMissing,
  commandTimeout,
  sudoRefused,
} from './failures';
import { interruptible } from './interruptible';
import { MachineAccess } from './Machine';
import { Session, Sessions } from './sessions';

const STDERR_TAIL = 64 * 1024;
const TERMINATE_MS = 2_000;

/** What commands run on. */
export interface CommandGround {
  access: MachineAccess;
  sessions: Sessions;
  lost: AbortSignal;
  /** Commands that are being told to stop. */
  stopping: Set<Promise<void>>;
}

/** A command that runs on a machine. */
export interface RemoteCommand {
  channel: ClientChannel;
  /**
   * Waits until it has ended and its output was taken, and judges how it ended. Rejects at once when the
   * connection is lost, when the caller or `fail` cuts it off, or its time is up.
   */
  outcome(accept?: number[]): Promise<{ code: number; stderr: string }>;
  stderr(): string;
  /** Cuts it off: tells the command to stop (SIGTERM to its process group) and leaves it. */
  fail(reason: unknown): void;
}

/** Starts a command; `timeoutMs` is for all of it, from the opening of its session on. */
export async function startCommand(
  on: CommandGround,
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

  let session: Session;
  try {
    session = await sessions.exec(line, cut.signal, late =>
      cutOff(on, late.channel, collectErrors(late.channel.stderr), sudo),
    );
  } catch (error) {
    release();
    throw error;
  }
  const { channel, ending } = session;
  const errors = collectErrors(channel.stderr);
  stderr = errors.said;

  const ended = interruptible<void>(
    { signals: [lost, cut.signal] },
    resolve => {
      channel.on('close', () => resolve());
    },
  ).finally(release);
  ended.catch(() => cutOff(on, channel, errors, sudo));

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

/**
 * Leaves a command and tells it to stop, in the background. SSH's own signals do not serve: sshd passes none on
 * when root has logged in, nor to what sudo has started.
 */
function cutOff(
  on: CommandGround,
  channel: ClientChannel,
  errors: Errors,
  sudo: boolean,
): void {
  const leave = async () => {
    channel.resume();
    const { signal, dispose } = deadline(TERMINATE_MS);
    try {
      const signals = [on.lost, signal];
      const pid = await interruptible<string | undefined>({ signals }, found =>
        errors.pid.then(found),
      );
      channel.close();
      if (pid !== undefined) {
        const line = commandLine(terminateCommand(pid), { sudo, stdin: false });
        const { channel: killer } = await on.sessions.exec(line, signal, late =>
          late.channel.close(),
        );
        killer.resume();
        killer.stderr.resume();
        await interruptible<void>({ signals }, done => {
          killer.on('close', () => done());
        });
      }
    } catch {
      // It was an attempt: the command may end of itself, and nobody waits for it.
      channel.close();
    } finally {
      dispose();
    }
  };
  const stopped = leave().finally(() => on.stopping.delete(stopped));
  on.stopping.add(stopped);
}

function deadline(milliseconds: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), milliseconds);
  return { signal: controller.signal, dispose: () => clearTimeout(timer) };
}

interface Errors {
  /** The command's process id; undefined when it ended without telling. */
  pid: Promise<string | undefined>;
  /** The end of what it said on standard error. */
  said(): string;
}

function collectErrors(stream: Readable): Errors {
  let isStarted = false;
  let chunks: Buffer[] = [];
  let size = 0;
  const pid = new Promise<string | undefined>(resolve => {
    stream.on('close', () => resolve(undefined));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (!isStarted) {
        const start = takeProcessId(Buffer.concat(chunks).toString('latin1'));
        if (start.pid !== undefined) {
          isStarted = true;
          chunks = [Buffer.from(start.said, 'latin1')];
          size = start.said.length;
          resolve(start.pid);
        }
      }
      if (size > 2 * STDERR_TAIL) {
        chunks = [Buffer.concat(chunks).subarray(-STDERR_TAIL)];
        size = STDERR_TAIL;
      }
    });
  });
  return {
    pid,
    said: () => Buffer.concat(chunks).subarray(-STDERR_TAIL).toString('utf8'),
  };
}
