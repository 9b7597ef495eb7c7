import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { feed } from './feed';

const CHUNK = 1 << 20;

async function* chunks(count: number) {
  for (let i = 0; i < count; i++) {
    yield Buffer.alloc(CHUNK, i);
    await turn();
  }
}

describe('feed', () => {
  it('keeps nothing of what has passed', async () => {
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    const before = process.memoryUsage().rss;
    expect(await feed(sink, chunks(400), new Promise(() => {}))).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * CHUNK);
  });

  it('gives up when it is over, whoever is waited for', async () => {
    const deaf = new Writable({ highWaterMark: 1, write: () => {} });
    let end = () => {};
    const ended = new Promise<void>(resolve => {
      end = resolve;
    });
    const feeding = feed(deaf, chunks(5), ended);
    end();
    expect(await feeding).toBe(false);

    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
      }),
    };
    const open = new Writable({ write: (_c, _e, done) => done() });
    expect(await feed(open, silent, Promise.reject(new Error('gone')))).toBe(
      false,
    );
  });

  it('tells what the source failed with', async () => {
    async function* broken() {
      yield Buffer.alloc(1);
      throw new Error('cut');
    }
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() });
    await expect(feed(sink, broken(), new Promise(() => {}))).rejects.toThrow(
      'cut',
    );
  });
});
