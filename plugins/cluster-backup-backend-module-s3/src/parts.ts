import { Reading } from '@cluster-backup/engine';

/** A source in pieces of one size, but for the last one; an empty source is one empty piece. */
export async function* inParts(
  reading: Reading,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  let part = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  let isFirst = true;
  for (;;) {
    const chunk = await reading.next();
    if (!chunk) break;
    for (let offset = 0; offset < chunk.length; ) {
      const piece = chunk.subarray(offset, offset + size - filled);
      part.set(piece, filled);
      filled += piece.length;
      offset += piece.length;
      if (filled === size) {
        yield part;
        isFirst = false;
        part = Buffer.allocUnsafeSlow(size);
        filled = 0;
      }
    }
  }
  if (filled || isFirst) yield part.subarray(0, filled);
}
