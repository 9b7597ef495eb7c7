import { Writable } from 'node:stream';

/**
 * Writes a source into a stream no faster than it takes it, and ends it. Gives up as soon as `over` settles: a
 * channel whose command has ended never calls its writers back, and a source may never say another word.
 *
 * @returns whether the stream was given all of the source
 */
export async function feed(
  stream: Writable,
  source: AsyncIterable<Uint8Array>,
  over: Promise<unknown>,
): Promise<boolean> {
  const isOver = over.then(
    () => 'over' as const,
    () => 'over' as const,
  );
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([isOver, iterator.next()]);
    if (next === 'over') {
      // Not waited for: a source that hangs must not hold up the failure.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
      return false;
    }
    if (next.done) {
      stream.end();
      return true;
    }
    if (!stream.write(next.value)) {
      await Promise.race([isOver, drained(stream)]);
    }
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise(resolve => {
    stream.once('drain', resolve);
  });
}
