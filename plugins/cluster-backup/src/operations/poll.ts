const FIRST_RETRY = 1_000;
const LAST_RETRY = 10_000;

/**
 * Loads again and again. What `onValue` answers is the milliseconds until the next time, undefined to end. After a
 * failure it waits longer each time.
 *
 * @returns what stops it; nothing is called after that
 */
export function poll<T>(options: {
  load(): Promise<T>;
  onValue(value: T): number | undefined;
  onError(error: Error): void;
}): () => void {
  let isStopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let retry = FIRST_RETRY;

  const run = async () => {
    let next: number | undefined;
    try {
      const value = await options.load();
      if (isStopped) return;
      retry = FIRST_RETRY;
      next = options.onValue(value);
    } catch (error) {
      if (isStopped) return;
      options.onError(error as Error);
      next = retry;
      retry = Math.min(2 * retry, LAST_RETRY);
    }
    if (next !== undefined) {
      timer = setTimeout(run, next);
    }
  };

  run();
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}
