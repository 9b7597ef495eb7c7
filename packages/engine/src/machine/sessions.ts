import { setTimeout as sleep } from 'node:timers/promises';
import { ClientChannel } from 'ssh2';
import { Connection } from './connection';
import { connectionClosed, sessionRefused } from './failures';
import { interruptible } from './interruptible';
import { MachineAccess } from './Machine';
import {
  ADMINISTRATIVELY_PROHIBITED,
  CONNECT_FAILED,
  openFailureReason,
  openFailureText,
  RESOURCE_SHORTAGE,
} from './openFailure';

const OPEN_MS = 20_000;

/** With these sshd answers when its MaxSessions are in use; which one depends on its version. */
const NO_MORE_SESSIONS = [
  ADMINISTRATIVELY_PROHIBITED,
  CONNECT_FAILED,
  RESOURCE_SHORTAGE,
];

/** How often, and how many milliseconds apart, a session is asked for when none of ours is in the way. */
const ATTEMPTS = 8;
const PAUSE_MS = 250;

/** How a command ended, as far as the machine has told. */
export interface Ending {
  code?: number;
  signal?: string;
}

const endings = new WeakMap<ClientChannel, Ending>();

/** How the command of a session ended. It may be told before anyone who waits for the session gets to run. */
export function endingOf(channel: ClientChannel): Ending {
  return endings.get(channel) ?? {};
}

function keepEnding(channel: ClientChannel) {
  const ending: Ending = {};
  endings.set(channel, ending);
  channel.on('exit', (code: number | null, killedBy?: string) => {
    ending.code = code ?? undefined;
    ending.signal = killedBy;
  });
}

/**
 * The sessions of one connection. sshd allows a number of them at a time: beyond it, the next one waits until
 * one ends.
 */
export class Sessions {
  /** Open, or about to be. */
  private count = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly access: MachineAccess,
    private readonly connection: Connection,
  ) {}

  /** @param late - takes a session that opens after `signal` was aborted */
  async exec(
    line: string,
    signal: AbortSignal,
    late: (channel: ClientChannel) => void,
  ): Promise<ClientChannel> {
    for (let attempt = 1; ; ) {
      try {
        return await this.tryExec(line, signal, late);
      } catch (error) {
        const reason = openFailureReason(error);
        if (reason === undefined || !NO_MORE_SESSIONS.includes(reason)) {
          throw error;
        }
        if (this.count > 0) {
          await this.oneEnds(signal);
        } else if (attempt++ < ATTEMPTS) {
          // A command that was cut off keeps its place until it has really ended.
          await sleep(PAUSE_MS);
        } else {
          throw sessionRefused(this.access, openFailureText(error));
        }
      }
    }
  }

  private tryExec(
    line: string,
    signal: AbortSignal,
    late: (channel: ClientChannel) => void,
  ): Promise<ClientChannel> {
    const { client, lost } = this.connection;
    const release = () => {
      this.count--;
      this.waiting.forEach(wake => wake());
    };
    return interruptible<ClientChannel>(
      {
        signals: [lost, signal],
        timeoutMs: OPEN_MS,
        timedOut: () =>
          sessionRefused(this.access, `no answer within ${OPEN_MS / 1000} s`),
        late,
      },
      (resolve, reject) => {
        try {
          client.exec(line, (error, channel) => {
            if (!error) {
              keepEnding(channel);
              channel.on('close', release);
              resolve(channel);
              return;
            }
            release();
            reject(
              openFailureReason(error) === undefined
                ? sessionRefused(this.access, openFailureText(error))
                : error,
            );
          });
          this.count++;
        } catch {
          // ssh2 throws where its socket is gone and it has not said so yet.
          reject(connectionClosed(this.access));
        }
      },
    );
  }

  private oneEnds(signal: AbortSignal): Promise<void> {
    let wake: () => void;
    return interruptible<void>(
      { signals: [this.connection.lost, signal] },
      resolve => {
        wake = resolve;
        this.waiting.add(wake);
      },
    ).finally(() => this.waiting.delete(wake));
  }
}
