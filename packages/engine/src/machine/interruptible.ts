/**
 * A promise over callbacks that is settled at the latest when one of the signals is aborted or the time is up.
 * A value that comes after that is handed to `late`, to be disposed of.
 */
export function interruptible<T>(
  options: {
    signals: Array<AbortSignal | undefined>;
    timeoutMs?: number;
    timedOut?: () => Error;
    late?: (value: T) => void;
  },
  start: (
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) => void,
): Promise<T> {
  const { timeoutMs, timedOut, late } = options;
  const signals = options.signals.filter(signal => signal !== undefined);
  return new Promise((resolve, reject) => {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    function settle(act: () => void) {
      isOver = true;
      clearTimeout(timer);
      signals.forEach(signal => signal.removeEventListener('abort', onAbort));
      act();
    }
    function fail(error: unknown) {
      if (!isOver) {
        settle(() => reject(error));
      }
    }
    function onAbort() {
      fail(signals.find(signal => signal.aborted)!.reason);
    }
    if (signals.some(signal => signal.aborted)) {
      onAbort();
      return;
    }
    signals.forEach(signal => signal.addEventListener('abort', onAbort));
    if (timeoutMs !== undefined) {
      timer = setTimeout(() => fail(timedOut!()), timeoutMs);
    }
    try {
      start(value => {
        if (isOver) {
          late?.(value);
        } else {
          settle(() => resolve(value));
        }
      }, fail);
    } catch (error) {
      fail(error);
    }
  });
}
