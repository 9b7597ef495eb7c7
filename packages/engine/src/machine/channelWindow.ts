import { ClientChannel } from 'ssh2';

const MIN_WINDOW = 2 * 1024 * 1024;
const MAX_WINDOW = 16 * 1024 * 1024;
/** Bytes a second that a window must not hold up. */
const RATE = 200_000_000;

/** The least that is worth a message of its own. */
const STEP = 512 * 1024;

/** The parts of ssh2 1.17 that are not in its documentation and are relied upon here. */
interface Internals {
  incoming: { window: number };
  outgoing: { id: number; state: string };
  _client: {
    _protocol: { channelWindowAdjust(channel: number, amount: number): void };
  };
  _read(size: number): void;
  _readableState: { highWaterMark: number };
  readableLength: number;
}

/**
 * Bytes that the other side may send ahead: enough for 200 MB/s over this round trip, up to 70 ms. No more than that:
 * what the reader has not taken lies in sshd, which takes twice the processor time over a stream when 16 MiB wait in
 * it.
 */
export function windowFor(roundTripMs: number): number {
  const ahead = MIN_WINDOW + (RATE * roundTripMs) / 1000;
  return Math.min(MAX_WINDOW, Math.ceil(ahead));
}

/** What the channels of one connection have shown of its round trip: the shortest time that one took to open. */
export class RoundTrip {
  private shortestMs = Infinity;

  /** Widens the window of a channel that was asked for at this time of `performance.now()` and is open now. */
  opened(channel: ClientChannel, askedAt: number): void {
    this.shortestMs = Math.min(this.shortestMs, performance.now() - askedAt);
    widenChannelWindow(channel, windowFor(this.shortestMs));
  }
}

/**
 * Lets a channel receive so many bytes ahead of its reader instead of ssh2's fixed 2 MiB, which holds a channel to
 * 100 MB/s at 20 ms. What is granted and what is buffered together never exceed the window, so that a slow reader
 * still slows the sender.
 *
 * Where ssh2 is not built as expected, the channel is left as it is, and slower.
 *
 * @returns whether the window was widened
 */
export function widenChannelWindow(
  channel: ClientChannel,
  window: number,
): boolean {
  const internals = channel as unknown as Internals;
  if (!isAsExpected(internals)) {
    return false;
  }
  const grant = () => {
    const { incoming, outgoing } = internals;
    const amount = window - incoming.window - internals.readableLength;
    if (amount >= STEP && outgoing.state !== 'closed') {
      incoming.window += amount;
      internals._client._protocol.channelWindowAdjust(outgoing.id, amount);
    }
  };
  const read = internals._read;
  internals._read = size => {
    grant();
    read.call(channel, size);
  };
  internals._readableState.highWaterMark = window / 2;
  grant();
  return true;
}

function isAsExpected(channel: Partial<Internals>): channel is Internals {
  return (
    typeof channel.incoming?.window === 'number' &&
    channel.incoming.window <= MIN_WINDOW &&
    typeof channel.outgoing?.id === 'number' &&
    typeof channel.outgoing.state === 'string' &&
    typeof channel._client?._protocol?.channelWindowAdjust === 'function' &&
    typeof channel._read === 'function' &&
    typeof channel._readableState?.highWaterMark === 'number' &&
    typeof channel.readableLength === 'number'
  );
}
