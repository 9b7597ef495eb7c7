import { finished, Readable } from 'node:stream';

/**
 * The bytes of an answer, which fail when they are fewer or more than announced, or when the server is silent for too
 * long while somebody wants them.
 */
export function wholeBody(
  body: Readable,
  options: {
    announced: number;
    stallMs: number;
    problem: (why: string, cause?: unknown) => unknown;
    signal?: AbortSignal;
  },
): Readable {
  const { announced, stallMs, problem, signal } = options;
  let received = 0;
  const fail = (why: string, cause?: unknown) =>
    whole.destroy(problem(why, cause) as Error);
  const stall = setTimeout(() => {
    if (!body.isPaused()) {
      fail(`nothing came for ${stallMs / 1000} s`);
    }
  }, stallMs);
  const whole = new Readable({
    signal,
    read() {
      stall.refresh();
      body.resume();
    },
    destroy(error, done) {
      clearTimeout(stall);
      body.destroy();
      done(error);
    },
  });
  body.pause();
  body.on('data', (chunk: Buffer) => {
    received += chunk.length;
    stall.refresh();
    if (!whole.push(chunk)) body.pause();
  });
  finished(body, error => {
    if (whole.destroyed) return;
    if (error) {
      fail(`it was cut after ${received} of ${announced} bytes`, error);
    } else if (received !== announced) {
      fail(`${received} bytes came of ${announced}`);
    } else {
      whole.push(null);
    }
  });
  return whole;
}
