import { Writable } from 'node:stream';
import { countedChunks } from '../__testUtils__/memory';
import { feed } from './feed';

async function* bytes(count: number) {
  for (let i = 0; i < count; i++) yield Buffer.alloc(1, i);
}

describe('feed', () => {
  it('keeps nothing of what has passed', async () => {
    const { chunks, held } = countedChunks(400);
    let passed = 0;
    let most = 0;
    const sink = new Writable({
      async write(_chunk, _encoding, done) {
        passed += 1;
        if (passed % 100 === 0) most = Math.max(most, await held());
        done();
      },
    });
    expect(await feed(sink, chunks, new Promise(() => {}))).toBe(true);
    expect(passed).toBe(400);
    expect(most).toBeLessThan(10);
  });

  it('gives up when it is over, whoever is waited for', async () => {
    const deaf = new Writable({ highWaterMark: 1, write: () => {} });
    let end = () => {};
    const ended = new Promise<void>(resolve => {
      end = resolve;
    });
    const feeding = feed(deaf, bytes(5), ended);
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
