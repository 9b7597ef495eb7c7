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
  let isOver = false;
  let interrupt = () => {};
  const end = () => {
    isOver = true;
    interrupt();
  };
  over.then(end, end);
  // No Promise.race with `over`: it would keep every chunk for as long as `over` is pending.
  const unlessOver = <T>(step: Promise<T>) =>
    new Promise<T | undefined>((resolve, reject) => {
      interrupt = () => resolve(undefined);
      if (isOver) interrupt();
      step.then(resolve, reject);
    });

  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await unlessOver(iterator.next());
    if (isOver || !next) {
      // Not waited for: a source that hangs must not hold up the failure.
      Promise.resolve(iterator.return?.()).catch(() => undefined);
      return false;
    }
    if (next.done) {
      stream.end();
      return true;
    }
    if (!stream.write(next.value)) {
      await unlessOver(drained(stream));
    }
  }
}

function drained(stream: Writable): Promise<void> {
  return new Promise(resolve => {
    stream.once('drain', resolve);
  });
}
