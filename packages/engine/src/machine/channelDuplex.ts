import { Duplex } from 'node:stream';
import { ClientChannel } from 'ssh2';

const READ_AHEAD = 1024 * 1024;

/**
 * A channel as a socket: it ends when the other side does, fails when the connection is lost, and its writes
 * fail once the channel is closed. (Those of ssh2's own channels never call back then.)
 */
export function channelDuplex(
  channel: ClientChannel,
  options: {
    lost: AbortSignal;
    /** What to say to a write after the other side has closed. */
    closedError: () => Error;
    /** Bytes that were already read from the channel. */
    head?: Buffer;
    /** Ends what is behind the channel when the stream is destroyed. */
    abandon?: () => void;
  },
): Duplex {
  const { lost, closedError, head, abandon } = options;
  let isClosed = false;
  let blocked: ((error?: Error | null) => void) | undefined;

  function send(bytes: Buffer, done: (error?: Error | null) => void) {
    if (isClosed) {
      done(closedError());
    } else if (channel.write(bytes)) {
      done();
    } else {
      blocked = done;
    }
  }
  function release(error?: Error) {
    const done = blocked;
    blocked = undefined;
    done?.(error);
  }

  const duplex: Duplex = new Duplex({
    allowHalfOpen: false,
    readableHighWaterMark: READ_AHEAD,
    read() {
      channel.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      send(chunk, done);
    },
    writev(pieces, done) {
      send(Buffer.concat(pieces.map(piece => piece.chunk)), done);
    },
    final(done) {
      if (!isClosed) {
        channel.end();
      }
      done();
    },
    destroy(error, done) {
      lost.removeEventListener('abort', onLost);
      release(error ?? closedError());
      const isComplete =
        !error && duplex.readableEnded && duplex.writableFinished;
      // What was sent last may still be on its way: a channel that both sides have ended closes by itself.
      if (!isClosed && !isComplete) {
        abandon?.();
        channel.close();
        channel.resume();
      }
      done(error);
    },
  });

  function onLost() {
    duplex.destroy(lost.reason);
  }

  const push = (chunk: Buffer) => {
    if (!duplex.destroyed && !duplex.push(chunk)) {
      channel.pause();
    }
  };
  channel.on('data', push);
  channel.on('drain', () => release());
  channel.on('end', () => {
    if (lost.aborted) {
      onLost();
    } else if (!duplex.destroyed) {
      duplex.push(null);
    }
  });
  channel.on('close', () => {
    isClosed = true;
    if (lost.aborted) {
      onLost();
    }
    release(closedError());
  });
  channel.on('error', (error: Error) => duplex.destroy(error));
  lost.addEventListener('abort', onLost, { once: true });
  if (lost.aborted) {
    onLost();
  }
  if (head?.length) {
    push(head);
  }
  return duplex;
}
