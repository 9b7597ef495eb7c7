// Jest's globals are looked up anew at every use, which a loop over bytes feels.
const { imul, max } = Math;

/** Bytes as a stream, cut at these places. */
export async function* inPieces(
  bytes: Uint8Array,
  ...sizes: number[]
): AsyncGenerator<Buffer> {
  let offset = 0;
  for (let i = 0; offset < bytes.length; i++) {
    const size = max(1, sizes[i % sizes.length] ?? bytes.length);
    yield Buffer.from(bytes.subarray(offset, offset + size));
    offset += size;
  }
}

export async function collected(
  source: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The same bytes for the same seed; `variety` 1 compresses well, 256 not at all. */
export function bytesOf(size: number, variety = 256, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed * 2654435761 + 1;
  for (let i = 0; i < size; i++) {
    // The linear congruential generator of Numerical Recipes.
    state = (imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = (state >>> 24) % variety;
  }
  return bytes;
}
