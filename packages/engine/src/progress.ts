/**
 * What a running operation tells while it runs.
 *
 * @public
 */
export type ProgressEvent =
  | { type: 'step'; step: string; title: string; status: 'started' | 'done' }
  | {
      type: 'bytes';
      step: string;
      /** Bytes so far. */
      done: number;
      /** Bytes in all, where known. */
      total?: number;
      /** Bytes per second, over the last seconds. */
      rate: number;
    }
  | { type: 'note'; step?: string; machine?: string; message: string };

/**
 * Takes progress events; must not throw and must not block.
 *
 * @public
 */
export type Progress = (event: ProgressEvent) => void;

const TELL_EVERY_MS = 500;

/** Passes a stream on and tells how far it is, twice a second. */
export async function* toldBytes(
  source: AsyncIterable<Uint8Array>,
  step: string,
  total: number,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  let last = { done: 0, at: Date.now() };
  for await (const chunk of source) {
    done += chunk.length;
    const passed = Date.now() - last.at;
    if (passed >= TELL_EVERY_MS) {
      const rate = ((done - last.done) * 1000) / passed;
      progress({ type: 'bytes', step, done, total, rate });
      last = { done, at: Date.now() };
    }
    yield chunk;
  }
  progress({ type: 'bytes', step, done, total, rate: 0 });
}
