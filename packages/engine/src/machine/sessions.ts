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

/** Milliseconds after which a session is asked for again, when none of ours has ended before. */
const PAUSE_MS = 250;
/** How often it is asked for when none of ours is in the way. */
const ATTEMPTS = 8;

/** How a command ended, as far as the machine has told. */
export interface Ending {
  code?: number;
  signal?: string;
}

/** A command's channel, and what becomes known of its end: often before whoever asked for it gets to run. */
export interface Session {
  channel: ClientChannel;
  ending: Ending;
}

/**
 * The sessions of one connection. sshd allows a number of them at a time: beyond it, the next one waits until
 * one ends.
 */
export class Sessions {
  private open = 0;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly access: MachineAccess,
    private readonly connection: Connection,
  ) {}

  /** @param late - takes a session that opens after `signal` was aborted */
  async exec(
    line: string,
    signal: AbortSignal,
    late: (session: Session) => void,
  ): Promise<Session> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.tryExec(line, signal, late);
      } catch (error) {
        const reason = openFailureReason(error);
        if (reason === undefined || !NO_MORE_SESSIONS.includes(reason)) {
          throw error;
        }
        if (this.open > 0) {
          attempt = 0;
        } else if (attempt === ATTEMPTS) {
          throw sessionRefused(this.access, openFailureText(error));
        }
        // A command that was cut off keeps its place until it has really ended, and nobody tells us when.
        await this.pause(signal);
      }
    }
  }

  private tryExec(
    line: string,
    signal: AbortSignal,
    late: (session: Session) => void,
  ): Promise<Session> {
    const { client, lost, roundTrip } = this.connection;
    const asked = performance.now();
    return interruptible<Session>(
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
              roundTrip.opened(channel, asked);
              const ending: Ending = {};
              channel.on('exit', (code: number | null, killedBy?: string) => {
                ending.code = code ?? undefined;
                ending.signal = killedBy;
              });
              this.open++;
              channel.on('close', () => {
                this.open--;
                this.waiting.forEach(wake => wake());
              });
              resolve({ channel, ending });
              return;
            }
            reject(
              openFailureReason(error) === undefined
                ? sessionRefused(this.access, openFailureText(error))
                : error,
            );
          });
        } catch {
          // ssh2 throws where its socket is gone and it has not said so yet.
          reject(connectionClosed(this.access));
        }
      },
    );
  }

  /** Until one of our sessions ends, or a little while. */
  private async pause(signal: AbortSignal): Promise<void> {
    let wake: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      await interruptible<void>(
        { signals: [this.connection.lost, signal] },
        resolve => {
          wake = resolve;
          this.waiting.add(wake);
          timer = setTimeout(wake, PAUSE_MS);
        },
      );
    } finally {
      clearTimeout(timer);
      this.waiting.delete(wake!);
    }
  }
}
