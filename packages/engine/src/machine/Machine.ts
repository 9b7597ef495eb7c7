import { Duplex, Readable } from 'node:stream';

/** How the host key of a machine is judged. A changed key always ends the connection. @public */
export interface HostKeyRule {
  /** `strict` refuses unknown keys; `trust-on-first-use` accepts and reports them through `onNewHostKey`. */
  mode: 'strict' | 'trust-on-first-use';
  /** The text of a known_hosts file (hashed names, wildcards, `[host]:port`, `@revoked` included). */
  knownHosts?: string;
  /** Keys accepted for this machine, as `SHA256:...` fingerprints. Where set, known_hosts is not asked. */
  pinned?: string[];
}

/** How one machine is reached over SSH. @public */
export interface MachineAccess {
  /** The machine's name in messages and in the archive. */
  name: string;
  address: string;
  /** Default 22. */
  port?: number;
  /** Anyone but `root` needs passwordless sudo. */
  user: string;
  /** Private key, PEM or OpenSSH. */
  privateKey: string;
  passphrase?: string;
  hostKeys: HostKeyRule;
  /** A machine that the connection goes through; its own `jump` may name another. */
  jump?: MachineAccess;
}

/** @public */
export interface RunOptions {
  /** Given to the command's standard input, which is then closed. */
  input?: string | Buffer;
  /** Default 60 000. When it passes, the command is told to stop, as on `signal`. */
  timeoutMs?: number;
  /** Standard output kept, in bytes; more is an error. Default 1 MiB. */
  maxOutput?: number;
  /** `false` runs it as the login user. Default: as root. */
  root?: boolean;
  /** Exit codes that are not errors. Default `[0]`. */
  accept?: number[];
  /** Tells the command to stop (SIGTERM to its process group) and fails with the signal's reason. */
  signal?: AbortSignal;
}

/** @public */
export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * One host reached over SSH. Commands are argument lists; nothing is ever put together as shell text outside
 * `quote`. Every failure is a {@link ClusterBackupError} that names the machine.
 *
 * @public
 */
export interface Machine {
  readonly name: string;
  /** The host key it proved, as a known_hosts line without the host names: `ssh-ed25519 AAAA...`. */
  readonly hostKey: string;
  /** Aborted, with the reason as an error, when the connection is lost or closed. */
  readonly lost: AbortSignal;
  /** Runs a command to its end. */
  run(argv: string[], options?: RunOptions): Promise<RunResult>;
  /**
   * Standard output of a command, chunk by chunk with back-pressure; it errors when the command fails. No time limit.
   */
  read(argv: string[], options?: Pick<RunOptions, 'root' | 'signal'>): Readable;
  /**
   * Feeds a stream to a command's standard input and waits for its end. A command that ends before it has taken
   * all of it has failed, whatever its exit code. No time limit.
   */
  write(
    argv: string[],
    source: AsyncIterable<Uint8Array>,
    options?: Pick<RunOptions, 'root' | 'signal' | 'maxOutput'>,
  ): Promise<RunResult>;
  /**
   * Opens a TCP connection from the machine; over exec (bash) where sshd forbids forwarding. There, our end
   * reaches the other side only when it ends too, or after 5 s.
   */
  dial(host: string, port: number): Promise<Duplex>;
  close(): Promise<void>;
}
