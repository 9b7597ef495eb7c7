import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type {
  AuthenticationType,
  Client as SshClient,
  ParsedKey,
  ServerHostKeyAlgorithm,
} from 'ssh2';
import { ClusterBackupError } from '../errors';
import { RoundTrip } from './channelWindow';
import { prepareCipherKeys } from './cipherKeys';
import {
  connectionClosed,
  connectionLost,
  loginRefused,
  messageOf,
  noHandshake,
  unreachable,
} from './failures';
import { gatherWrites } from './gatherWrites';
import {
  hostKeyAlgorithms,
  HostKeyJudge,
  HostKeyVerdict,
  publicKeyLine,
} from './hostKeys';
import { interruptible } from './interruptible';
import { hostKeyType } from './knownHosts';
import { MachineAccess } from './Machine';
import { connectReadingIntoOneBuffer, reuseReadBuffer } from './readBuffer';
import { Client } from './ssh2';

const CONNECT_MS = 10_000;
/** Until the other side says its first word. */
const FIRST_WORD_MS = 15_000;
/** Until the user is logged in: sshd of a machine in distress takes its time for that. */
const LOGIN_MS = 30_000;
const PING_MS = 2_000;
/** Seconds without a byte from the other side after which the connection counts as lost. */
const SILENCE_S = 8;
const CLOSE_MS = 2_000;

/** An SSH connection that is logged in. */
export interface Connection {
  client: SshClient;
  hostKey: Buffer;
  isNewHostKey: boolean;
  lost: AbortSignal;
  roundTrip: RoundTrip;
  close(): Promise<void>;
}

/** Thrown where the key presented is not the one on record, and a key of another type may be. */
export class OtherKeyPresented extends Error {
  constructor(readonly type: string, readonly refusal: Error) {
    super(refusal.message);
  }
}

/** The TCP connection below; without Nagle's delay, which ssh2 leaves on. */
export function connectTcp(
  access: MachineAccess,
  signal?: AbortSignal,
): Promise<Socket> {
  let socket: Socket | undefined;
  return interruptible<Socket>(
    {
      signals: [signal],
      timeoutMs: CONNECT_MS,
      timedOut: () => unreachable(access, { code: 'ETIMEDOUT' }),
    },
    (resolve, reject) => {
      const opening = connectReadingIntoOneBuffer({
        host: access.address,
        port: access.port ?? 22,
        noDelay: true,
        keepAlive: true,
      });
      socket = opening;
      opening.on('error', error => reject(unreachable(access, error)));
      opening.once('connect', () => resolve(opening));
    },
  ).catch(error => {
    socket?.destroy();
    throw error;
  });
}

/**
 * Speaks SSH over a stream until the user is logged in, and watches over the connection from then on.
 *
 * @throws OtherKeyPresented
 */
export function logIn(options: {
  access: MachineAccess;
  stream: Duplex;
  key: ParsedKey;
  judge: HostKeyJudge;
  types: string[];
  signal?: AbortSignal;
}): Promise<Connection> {
  const { access, stream, key, judge, types, signal } = options;
  const client = new Client();
  prepareCipherKeys(client);
  reuseReadBuffer(client, stream);
  gatherWrites(stream);
  const lost = new AbortController();
  let presented: Buffer | undefined;
  let verdict: HostKeyVerdict | undefined;
  let keyOffered = false;
  let furtherMethods: string[] = [];

  return new Promise<Connection>((resolve, reject) => {
    let watch: NodeJS.Timeout | undefined;
    let isLoggedIn = false;
    const mute = setTimeout(() => {
      const silence = `it said nothing within ${FIRST_WORD_MS / 1000} s`;
      end(noHandshake(access, new Error(silence)));
    }, FIRST_WORD_MS);
    stream.once('data', () => clearTimeout(mute));

    function end(error: Error) {
      clearInterval(watch);
      clearTimeout(mute);
      signal?.removeEventListener('abort', onAbort);
      reject(error);
      if (!lost.signal.aborted) {
        lost.abort(error);
      }
      stream.destroy();
    }
    function onAbort() {
      end(signal!.reason);
    }
    signal?.addEventListener('abort', onAbort, { once: true });

    client.on('error', error => {
      if (error instanceof ClusterBackupError) {
        // From the jump host, whose connection this one runs over.
        end(error);
      } else if (isLoggedIn) {
        end(connectionLost(access, messageOf(error), error));
      } else if (verdict && !verdict.accepted) {
        end(
          verdict.tryOtherTypes
            ? new OtherKeyPresented(hostKeyType(presented!)!, verdict.error)
            : verdict.error,
        );
      } else if (error.level === 'client-authentication') {
        end(
          loginRefused(
            access,
            publicKeyLine(key.getPublicSSH()),
            furtherMethods,
          ),
        );
      } else {
        end(noHandshake(access, error));
      }
    });
    client.on('close', () => {
      end(
        isLoggedIn
          ? connectionLost(access, 'it was closed from the other side')
          : noHandshake(access, new Error('the connection was closed')),
      );
    });
    client.on('ready', () => {
      isLoggedIn = true;
      signal?.removeEventListener('abort', onAbort);
      watch = watchSilence(stream, () => {
        end(connectionLost(access, `nothing was heard for ${SILENCE_S} s`));
      });
      resolve({
        client,
        hostKey: presented!,
        isNewHostKey: verdict!.accepted && verdict!.isNew,
        lost: lost.signal,
        roundTrip: new RoundTrip(),
        close: () => {
          clearInterval(watch);
          if (!lost.signal.aborted) {
            lost.abort(connectionClosed(access));
          }
          return closeClient(client, stream);
        },
      });
    });

    client.connect({
      sock: stream,
      username: access.user,
      readyTimeout: LOGIN_MS,
      // Pings only: ssh2 would count unanswered ones even while data arrives. watchSilence judges.
      keepaliveInterval: PING_MS,
      keepaliveCountMax: Infinity,
      algorithms: {
        serverHostKey: hostKeyAlgorithms(types) as ServerHostKeyAlgorithm[],
        cipher: [
          'aes128-gcm@openssh.com',
          'aes256-gcm@openssh.com',
          'chacha20-poly1305@openssh.com' as 'aes256-ctr',
          'aes128-ctr',
          'aes256-ctr',
        ],
        kex: [
          'curve25519-sha256',
          'curve25519-sha256@libssh.org',
          'ecdh-sha2-nistp256',
          'ecdh-sha2-nistp384',
          'ecdh-sha2-nistp521',
          'diffie-hellman-group16-sha512',
          'diffie-hellman-group18-sha512',
          'diffie-hellman-group14-sha256',
          'diffie-hellman-group-exchange-sha256',
        ],
        hmac: [
          'hmac-sha2-256-etm@openssh.com',
          'hmac-sha2-512-etm@openssh.com',
          'hmac-sha2-256',
          'hmac-sha2-512',
        ],
        compress: ['none'],
      },
      hostVerifier: (blob: Buffer, verify: (accepted: boolean) => void) => {
        // Asked again at every change of session keys: the key must stay what it was.
        if (presented && verdict?.accepted) {
          verify(presented.equals(blob));
          return;
        }
        presented = Buffer.from(blob);
        verdict = judge.judge(presented);
        verify(verdict.accepted);
      },
      authHandler: (left, isPartialSuccess, next) => {
        if (keyOffered) {
          furtherMethods = isPartialSuccess ? left : [];
          next(false as unknown as AuthenticationType);
          return;
        }
        keyOffered = true;
        next({ type: 'publickey', username: access.user, key });
      },
    });
    stream.resume();
    if (signal?.aborted) {
      onAbort();
    }
  });
}

/** Counts ticks, not time: a process that was itself asleep must not take that for silence. */
function watchSilence(stream: Duplex, onSilence: () => void): NodeJS.Timeout {
  let silent = 0;
  stream.on('data', () => {
    silent = 0;
  });
  return setInterval(() => {
    if (++silent > SILENCE_S) {
      onSilence();
    }
  }, 1000);
}

function closeClient(client: SshClient, stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    if (stream.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => stream.destroy(), CLOSE_MS);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end();
  });
}
