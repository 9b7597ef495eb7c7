/**
 * What is compressed at once. Measured: larger blocks cost memory and bring no speed; smaller ones cost calls, and the
 * compressor's own memory for each.
 */
export const PACKED_BLOCK = 1024 * 1024;

/**
 * Buffers that are used again: fresh memory for every block would cost more than hashing it does. Whoever gives one
 * back must be the last to have it.
 */
export class BlockPool {
  private readonly size: number;
  private readonly own = new Set<ArrayBufferLike>();
  private readonly free: Buffer[] = [];

  constructor(size: number) {
    this.size = size;
  }

  take(): Buffer {
    const block = this.free.pop() ?? Buffer.allocUnsafeSlow(this.size);
    this.own.add(block.buffer);
    return block;
  }

  /** Buffers of others are left to them. */
  give(block: Buffer) {
    if (this.own.delete(block.buffer)) {
      this.free.push(Buffer.from(block.buffer, 0, this.size));
    }
  }
}

/**
 * Joins small chunks into blocks of `size` bytes, so that what follows runs once a block and not once a message.
 * Chunks of at least that size pass as they are, after what was joined before them.
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
  pool?: BlockPool,
): AsyncGenerator<Buffer, void, undefined> {
  const take = () => pool?.take() ?? Buffer.allocUnsafeSlow(size);
  let block: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    if (chunk.length >= size) {
      if (block) {
        yield block.subarray(0, filled);
        block = undefined;
        filled = 0;
      }
      yield asBuffer(chunk);
      continue;
    }
    let offset = 0;
    while (offset < chunk.length) {
      block ??= take();
      const length = Math.min(size - filled, chunk.length - offset);
      block.set(chunk.subarray(offset, offset + length), filled);
      filled += length;
      offset += length;
      if (filled === size) {
        const full = block;
        block = undefined;
        filled = 0;
        yield full;
      }
    }
  }
  if (block) {
    yield block.subarray(0, filled);
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
