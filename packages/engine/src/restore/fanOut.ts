/** Chunks that the slowest taker may lag behind: with 64 KiB and more a chunk a few MiB in all. */
const AHEAD = 16;

/**
 * Gives one stream to several takers at once, at the pace of the slowest. When one of them fails, all end.
 *
 * @throws what the first failing taker, or the source, threw
 */
export async function fanOut(
  source: AsyncIterable<Uint8Array>,
  takers: Array<(chunks: AsyncIterable<Uint8Array>) => Promise<unknown>>,
): Promise<void> {
  let failure: { error: unknown } | undefined;
  let ended = false;
  let wake: Array<() => void> = [];
  const changed = () => new Promise<void>(resolve => wake.push(resolve));
  const notify = () => {
    const waiting = wake;
    wake = [];
    waiting.forEach(resolve => resolve());
  };
  const fail = (error: unknown) => {
    failure ??= { error };
    notify();
  };

  const queues = takers.map(() => [] as Uint8Array[]);
  async function* chunksOf(queue: Uint8Array[]): AsyncIterable<Uint8Array> {
    for (;;) {
      if (failure) throw failure.error;
      const chunk = queue.shift();
      if (chunk) {
        notify();
        yield chunk;
      } else if (ended) {
        return;
      } else {
        await changed();
      }
    }
  }
  const taking = takers.map((take, i) =>
    take(chunksOf(queues[i])).then(() => {
      if (!ended) fail(new Error('A taker ended before the stream did.'));
    }, fail),
  );

  try {
    for await (const chunk of source) {
      queues.forEach(queue => queue.push(chunk));
      notify();
      while (!failure && queues.some(queue => queue.length >= AHEAD)) {
        await changed();
      }
      if (failure) break;
    }
  } catch (error) {
    fail(error);
  }
  ended = true;
  notify();
  await Promise.all(taking);
  if (failure) throw failure.error;
}
