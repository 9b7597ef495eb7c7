import { addAbortSignal, finished, Readable } from 'node:stream';

/**
 * The bytes of an answer, which fail when they are fewer or more than announced, or when the server is silent for too
 * long while somebody wants them.
 */
export class WholeBody extends Readable {
  private readonly body: Readable;
  private readonly problem: (why: string, cause?: unknown) => unknown;
  private readonly stall: NodeJS.Timeout;
  private received = 0;

  constructor(
    body: Readable,
    options: {
      announced: number;
      stallMs: number;
      problem: (why: string, cause?: unknown) => unknown;
      signal?: AbortSignal;
    },
  ) {
    super();
    const { announced, stallMs, problem, signal } = options;
    this.body = body;
    this.problem = problem;
    this.stall = setTimeout(() => {
      if (!body.isPaused()) this.fail(`nothing came for ${stallMs / 1000} s`);
    }, stallMs);
    body.pause();
    body.on('data', (chunk: Buffer) => {
      this.received += chunk.length;
      this.stall.refresh();
      if (!this.push(chunk)) body.pause();
    });
    finished(body, error => {
      const { received, destroyed } = this;
      if (destroyed) return;
      if (error) {
        this.fail(`it was cut after ${received} of ${announced} bytes`, error);
      } else if (received !== announced) {
        this.fail(`${received} bytes came of ${announced}`);
      } else {
        this.push(null);
      }
    });
    if (signal) addAbortSignal(signal, this);
  }

  _read() {
    this.stall.refresh();
    this.body.resume();
  }

  _destroy(error: Error | null, done: (error: Error | null) => void) {
    clearTimeout(this.stall);
    this.body.destroy();
    done(error);
  }

  private fail(why: string, cause?: unknown) {
    this.destroy(this.problem(why, cause) as Error);
  }
}
