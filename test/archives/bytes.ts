/** Bytes as a stream, cut into pieces of this size. */
export async function* inPieces(
  whole: Buffer,
  size = whole.length,
): AsyncGenerator<Buffer> {
  for (let at = 0; at < whole.length; at += size) {
    yield whole.subarray(at, at + size);
  }
}

/** All bytes of a stream. */
export async function bytes(
  source: AsyncIterable<Uint8Array>,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
