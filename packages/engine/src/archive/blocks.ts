/**
 * Joins small chunks into blocks of `size` bytes, so that what follows runs once a block and not once a message.
 * Chunks of at least that size pass as they are.
 */
export async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  let block: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    if (filled === 0 && chunk.length >= size) {
      yield asBuffer(chunk);
      continue;
    }
    let offset = 0;
    while (offset < chunk.length) {
      block ??= Buffer.allocUnsafeSlow(size);
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
  if (block && filled > 0) {
    yield block.subarray(0, filled);
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
