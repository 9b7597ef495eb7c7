import { asBuffer } from './blocks';

const NOTHING = Buffer.alloc(0);

/** Gives of a stream as many bytes as are asked for, however it is cut into chunks. */
export class ByteReader {
  private readonly source: AsyncIterator<Uint8Array>;
  private held: Buffer = NOTHING;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, at most `size` of them; `undefined` at the end. */
  async some(size = Infinity): Promise<Buffer | undefined> {
    if (this.held.length === 0 && !(await this.hold())) {
      return undefined;
    }
    const bytes = this.held.subarray(0, size);
    this.held = this.held.subarray(bytes.length);
    return bytes;
  }

  /** The next bytes, exactly `size` of them where the stream has as many. */
  async take(size: number): Promise<Buffer> {
    const bytes = await this.peek(size);
    this.held = this.held.subarray(bytes.length);
    return bytes;
  }

  /** What `take` would give, left where it is. */
  async peek(size: number): Promise<Buffer> {
    while (this.held.length < size) {
      if (!(await this.hold())) {
        break;
      }
    }
    return this.held.subarray(0, size);
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for (;;) {
        const bytes = await this.some();
        if (!bytes) {
          return;
        }
        yield bytes;
      }
    } finally {
      this.close();
    }
  }

  /** Not awaited: a silent source would keep whoever leaves it waiting. */
  close() {
    this.source.return?.()?.then(undefined, () => {});
  }

  /** Waits for one more chunk; says whether there was one. */
  private async hold(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.source.next();
      if (done) {
        return false;
      }
      if (value.length > 0) {
        this.held =
          this.held.length > 0
            ? Buffer.concat([this.held, value])
            : asBuffer(value);
        return true;
      }
    }
  }
}
