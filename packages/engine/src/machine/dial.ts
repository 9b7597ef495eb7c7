import { Duplex } from 'node:stream';
import { ClientChannel } from 'ssh2';
import { channelDuplex } from './channelDuplex';
import { Connection } from './connection';
import { TUNNEL_GREETING, tunnelCommand } from './execTunnel';
import {
  connectionClosed,
  dialClosed,
  dialForbidden,
  dialRefused,
} from './failures';
import { interruptible } from './interruptible';
import { MachineAccess } from './Machine';
import {
  ADMINISTRATIVELY_PROHIBITED,
  openFailureReason,
  openFailureText,
} from './openFailure';
import { RemoteCommand } from './remoteCommand';

const DIAL_MS = 15_000;

interface Target {
  access: MachineAccess;
  host: string;
  port: number;
}

/** A TCP connection that sshd makes for us; undefined where it forbids that. */
export async function dialForwarded(
  connection: Connection,
  target: Target,
): Promise<Duplex | undefined> {
  const { access, host, port } = target;
  const { client, lost, roundTrip } = connection;
  const asked = performance.now();
  const channel = await interruptible<ClientChannel | undefined>(
    {
      signals: [lost],
      timeoutMs: DIAL_MS,
      timedOut: () => noAnswer(target),
      late: late => late?.close(),
    },
    (resolve, reject) => {
      try {
        client.forwardOut('127.0.0.1', 0, host, port, (error, opened) => {
          if (!error) {
            resolve(opened);
          } else if (openFailureReason(error) === ADMINISTRATIVELY_PROHIBITED) {
            resolve(undefined);
          } else {
            reject(dialRefused(access, nameOf(target), openFailureText(error)));
          }
        });
      } catch {
        // ssh2 throws where its socket is gone and it has not said so yet.
        reject(connectionClosed(access));
      }
    },
  );
  if (!channel) {
    return undefined;
  }
  roundTrip.opened(channel, asked);
  return channelDuplex(channel, {
    lost,
    closedError: () => dialClosed(access, nameOf(target)),
  });
}

/** The same through a command, where sshd forbids forwarding. */
export async function dialOverExec(
  start: (argv: string[]) => Promise<RemoteCommand>,
  lost: AbortSignal,
  target: Target,
): Promise<Duplex> {
  const { access, host, port } = target;
  const command = await start(tunnelCommand(host, port));
  try {
    const head = await interruptible<Buffer>(
      {
        signals: [lost],
        timeoutMs: DIAL_MS,
        timedOut: () => noAnswer(target),
      },
      (resolve, reject) => {
        readGreeting(command.channel, resolve);
        command.outcome().then(
          () => reject(dialForbidden(access, nameOf(target), 'no greeting')),
          () => reject(tunnelFailure(target, command.stderr())),
        );
      },
    );
    return channelDuplex(command.channel, {
      lost,
      closedError: () => dialClosed(access, nameOf(target)),
      head,
      abandon: () => command.fail(dialClosed(access, nameOf(target))),
    });
  } catch (error) {
    command.fail(error);
    throw error;
  }
}

function readGreeting(
  channel: ClientChannel,
  onHead: (rest: Buffer) => void,
): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    if (head.length >= TUNNEL_GREETING.length) {
      channel.pause();
      channel.removeListener('data', onData);
      onHead(head.subarray(TUNNEL_GREETING.length));
    }
  };
  channel.on('data', onData);
}

/** bash names the device in what it says about a connection that could not be made. */
function tunnelFailure(target: Target, stderr: string): Error {
  const said = stderr.trim();
  const connect =
    /connect: (.+)$/m.exec(said) ?? /^.*\/dev\/tcp\/[^:]*: (.+)$/m.exec(said);
  const isMadeByBash =
    /\/dev\/tcp\//.test(said) && !/No such file or directory/.test(said);
  return isMadeByBash && connect
    ? dialRefused(target.access, nameOf(target), connect[1])
    : dialForbidden(target.access, nameOf(target), said);
}

function noAnswer(target: Target): Error {
  return dialRefused(
    target.access,
    nameOf(target),
    `no answer within ${DIAL_MS / 1000} s`,
  );
}

function nameOf({ host, port }: Target): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
