import { Socket } from 'node:net';
import { LinkState } from '../protocol';

/** Held back at most, in bytes and each direction: enough for a long and fat line, flat in memory. */
const HELD_BYTES = 32 * 1024 * 1024;
/** How finely a rate is dealt out. */
const SLICE_SECONDS = 0.01;

/** Two sockets joined. */
export interface Relayed {
  set(state: LinkState): void;
  reset(): void;
  closed: Promise<void>;
}

interface Held {
  due: number;
  /** Nothing is the end of the stream. */
  bytes?: Buffer;
}

/** One direction. */
class Pump {
  private readonly held: Held[] = [];
  private heldBytes = 0;
  private timer?: NodeJS.Timeout;
  private blocked = false;
  private allowance = 0;
  private allowanceAt = performance.now();

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private state: LinkState,
  ) {
    from.on('data', bytes => this.take(bytes));
    from.on('end', () => this.hold({ due: this.due() }));
    to.on('drain', () => {
      this.blocked = false;
      this.give();
    });
    if (state.mode === 'frozen') from.pause();
    else from.resume();
  }

  set(state: LinkState): void {
    this.state = state;
    if (state.mode === 'frozen') {
      this.from.pause();
      clearTimeout(this.timer);
      this.timer = undefined;
    } else {
      this.breathe();
      this.give();
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.held.length = 0;
  }

  private due(): number {
    return performance.now() + (this.state.rttMs ?? 0) / 2;
  }

  private take(bytes: Buffer): void {
    this.heldBytes += bytes.length;
    if (this.heldBytes >= HELD_BYTES) this.from.pause();
    this.hold({ due: this.due(), bytes });
  }

  private hold(one: Held): void {
    this.held.push(one);
    if (!this.timer) this.give();
  }

  private breathe(): void {
    if (this.heldBytes < HELD_BYTES && this.state.mode !== 'frozen') {
      this.from.resume();
    }
  }

  private give(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.state.mode === 'frozen') return;
    const now = performance.now();
    this.allow(now);
    while (this.held.length && !this.blocked && !this.to.destroyed) {
      const [first] = this.held;
      if (first.due > now) {
        this.later(first.due - now);
        break;
      }
      if (!first.bytes) {
        this.held.shift();
        this.to.end();
        break;
      }
      if (this.allowance <= 0) {
        this.later(SLICE_SECONDS * 1000);
        break;
      }
      const bytes = first.bytes.subarray(0, Math.ceil(this.allowance));
      if (bytes.length === first.bytes.length) this.held.shift();
      else first.bytes = first.bytes.subarray(bytes.length);
      this.allowance -= bytes.length;
      this.heldBytes -= bytes.length;
      this.blocked = !this.to.write(bytes);
    }
    this.breathe();
  }

  private allow(now: number): void {
    const rate = this.state.bytesPerSecond;
    const passed = (now - this.allowanceAt) / 1000;
    this.allowanceAt = now;
    this.allowance = rate
      ? Math.min(this.allowance + passed * rate, rate * SLICE_SECONDS * 4)
      : Infinity;
  }

  private later(ms: number): void {
    this.timer = setTimeout(() => this.give(), Math.max(1, ms));
  }
}

/** Joins two sockets with a delay and a rate, both of which may change, and may be frozen. */
export function relay(left: Socket, right: Socket, state: LinkState): Relayed {
  left.setNoDelay(true);
  right.setNoDelay(true);
  const pumps = [new Pump(left, right, state), new Pump(right, left, state)];
  const closed = Promise.all(
    [left, right].map(
      socket =>
        new Promise<void>(resolve => socket.on('close', () => resolve())),
    ),
  ).then(() => pumps.forEach(pump => pump.stop()));
  const reset = () => {
    left.resetAndDestroy();
    right.resetAndDestroy();
  };
  left.on('error', reset);
  right.on('error', reset);
  return {
    set: next => pumps.forEach(pump => pump.set(next)),
    reset,
    closed,
  };
}
