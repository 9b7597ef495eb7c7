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

  async exec(line: string, signal: AbortSignal): Promise<ClientChannel> {
    for (;;) {
      try {
        return await this.tryExec(line, signal);
      } catch (error) {
        const reason = openFailureReason(error);
        if (reason === undefined || !NO_MORE_SESSIONS.includes(reason)) {
          throw error;
        }
        if (this.open === 0) {
          throw sessionRefused(this.access, openFailureText(error));
        }
        await this.oneEnds(signal);
      }
    }
  }

  private tryExec(line: string, signal: AbortSignal): Promise<ClientChannel> {
    const { client, lost } = this.connection;
    return interruptible<ClientChannel>(
      {
        signals: [lost, signal],
        timeoutMs: OPEN_MS,
        timedOut: () =>
          sessionRefused(this.access, `no answer within ${OPEN_MS / 1000} s`),
        late: channel => channel.close(),
      },
      (resolve, reject) => {
        try {
          client.exec(line, (error, channel) => {
            if (error) {
              reject(
                openFailureReason(error) === undefined
                  ? sessionRefused(this.access, openFailureText(error))
                  : error,
              );
              return;
            }
            this.open++;
            channel.on('close', () => {
              this.open--;
              this.waiting.forEach(wake => wake());
            });
            resolve(channel);
          });
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
