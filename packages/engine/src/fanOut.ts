import { abortable } from './abortable';

/** Chunks that the slowest taker may lag behind: with 64 KiB and more a chunk a few MiB in all. */
const AHEAD = 16;

type Taker<T> = (chunks: AsyncIterable<Uint8Array>) => Promise<T>;

/**
 * Gives one stream to several takers at once, at the pace of the slowest. Those that fail are left behind.
 *
 * @returns what came of each taker, in their order; when the source fails all of them do
 */
export async function fanOut<T>(
  source: AsyncIterable<Uint8Array>,
  takers: Array<Taker<T>>,
): Promise<Array<PromiseSettledResult<T>>> {
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

  const queues = new Set<Uint8Array[]>();
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
  const taking = takers.map(async take => {
    const queue: Uint8Array[] = [];
    queues.add(queue);
    try {
      const result = await take(chunksOf(queue));
      if (!ended) throw new Error('A taker ended before the stream did.');
      return result;
    } finally {
      queues.delete(queue);
      notify();
    }
  });
  const settled = Promise.allSettled(taking);

  try {
    for await (const chunk of source) {
      queues.forEach(queue => queue.push(chunk));
      notify();
      while (!failure && [...queues].some(({ length }) => length >= AHEAD)) {
        await changed();
      }
      if (failure || !queues.size) break;
    }
  } catch (error) {
    fail(error);
  }
  ended = true;
  notify();
  return settled;
}

/**
 * Gives one stream to several takers at once; when one of them fails, all end.
 *
 * @throws what the first failing taker, or the source, threw
 */
export async function fanOutTogether(
  source: AsyncIterable<Uint8Array>,
  takers: Array<Taker<unknown>>,
): Promise<void> {
  const stop = new AbortController();
  const ending = (take: Taker<unknown>): Taker<unknown> => {
    return chunks =>
      take(chunks).catch(error => {
        stop.abort(error);
        throw error;
      });
  };
  const results = await fanOut(
    abortable(source, stop.signal),
    takers.map(ending),
  );
  stop.signal.throwIfAborted();
  for (const result of results) {
    if (result.status === 'rejected') throw result.reason;
  }
}
