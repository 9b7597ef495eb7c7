import { Duplex } from 'node:stream';
import { ClusterBackupError } from '../errors';
import { refuseInvalidAddress } from './address';
import { connectTcp, Connection, logIn, OtherKeyPresented } from './connection';
import { unreachable } from './failures';
import { hostKeyJudge, knownHostsLine } from './hostKeys';
import { Machine, MachineAccess } from './Machine';
import { probeLoginShell } from './loginShell';
import { readPrivateKey } from './privateKey';
import { SshMachine } from './SshMachine';

/** @public */
export interface ConnectOptions {
  /** Ends the attempt; the connection, once made, is ended by `close`. */
  signal?: AbortSignal;
  /**
   * Under `trust-on-first-use`: the known_hosts line of a key that was accepted because none was known. It must
   * be kept, and given as `knownHosts` from then on.
   */
  onNewHostKey?: (line: string, access: MachineAccess) => void;
}

/**
 * Logs in to a machine over SSH, through its jump hosts where it has any.
 *
 * Fails with a {@link ClusterBackupError}: `machine-address-invalid`, `machine-unreachable`, `machine-login-refused`, `ssh-key-unreadable`,
 * `host-key-unknown`, `host-key-changed`, `host-key-revoked`, `known-hosts-unreadable`,
 * `machine-session-refused`, `login-shell-noisy`, `login-shell-unsupported`; `details.machine` names the machine,
 * which may be a jump host.
 *
 * @public
 */
export async function connectMachine(
  access: MachineAccess,
  options: ConnectOptions = {},
): Promise<Machine> {
  const machine = await connect(access, options);
  try {
    await probeLoginShell(machine, access, options.signal);
    return machine;
  } catch (error) {
    await machine.close();
    throw error;
  }
}

async function connect(
  access: MachineAccess,
  options: ConnectOptions,
): Promise<SshMachine> {
  refuseInvalidAddress(access);
  const jump = access.jump && (await connect(access.jump, options));
  try {
    if (jump) {
      await openAnySession(jump, options.signal);
    }
    const connection = await connectWithSomeKeyType(access, jump, options);
    if (connection.isNewHostKey) {
      options.onNewHostKey?.(
        knownHostsLine(access, connection.hostKey),
        access,
      );
    }
    return new SshMachine(access, connection, jump);
  } catch (error) {
    await jump?.close();
    throw error;
  }
}

/** A jump host needs no shell. Where it has one, its sshd switches off Nagle's delay upon the first session. */
async function openAnySession(jump: Machine, signal?: AbortSignal) {
  await jump
    .run(['true'], { root: false, timeoutMs: 5_000, signal })
    .catch(() => undefined);
  signal?.throwIfAborted();
  jump.lost.throwIfAborted();
}

/** A pinned fingerprint does not tell the type of its key: types are tried until one fits. */
async function connectWithSomeKeyType(
  access: MachineAccess,
  jump: Machine | undefined,
  options: ConnectOptions,
): Promise<Connection> {
  const key = readPrivateKey(access);
  const judge = hostKeyJudge(access);
  let { types } = judge;
  let refusal: Error | undefined;
  for (;;) {
    const stream = await openStream(access, jump, options.signal);
    try {
      return await logIn({
        access,
        stream,
        key,
        judge,
        types,
        signal: options.signal,
      });
    } catch (error) {
      stream.destroy();
      if (error instanceof OtherKeyPresented) {
        refusal ??= error.refusal;
        types = types.filter(type => type !== error.type);
        if (types.length > 0) {
          continue;
        }
        throw refusal;
      }
      // Once a key was refused, a machine that has none of the types left refuses the handshake.
      throw refusal && isNoHandshake(error) ? refusal : error;
    }
  }
}

function isNoHandshake(error: unknown): boolean {
  return (
    error instanceof ClusterBackupError && error.details.reason === 'handshake'
  );
}

async function openStream(
  access: MachineAccess,
  jump: Machine | undefined,
  signal?: AbortSignal,
): Promise<Duplex> {
  if (!jump) {
    return connectTcp(access, signal);
  }
  try {
    const stream = await jump.dial(access.address, access.port ?? 22);
    // The connection's own failure says more than that of the stream below it.
    stream.on('error', () => undefined);
    signal?.throwIfAborted();
    return stream;
  } catch (error) {
    if (error instanceof ClusterBackupError && error.code === 'dial-refused') {
      throw unreachable(
        access,
        new Error(String(error.details.reason)),
        jump.name,
      );
    }
    throw error;
  }
}
