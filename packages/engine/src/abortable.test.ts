import { abortable } from './abortable';

async function* chunks(count: number, size: number) {
  for (let i = 0; i < count; i++) {
    if (i % 16 === 0) {
      await new Promise(resolve => setImmediate(resolve));
    }
    yield Buffer.alloc(size, 1);
  }
}

describe('abortable', () => {
  it('keeps nothing of what has passed', async () => {
    const { signal } = new AbortController();
    const before = process.memoryUsage.rss();
    let passed = 0;
    for await (const chunk of abortable(chunks(512, 2 ** 20), signal)) {
      passed += chunk.length;
    }
    expect(passed).toBe(512 * 2 ** 20);
    expect((process.memoryUsage.rss() - before) / 2 ** 20).toBeLessThan(200);
  });

  it('ends at once when its signal says so, also between two chunks', async () => {
    const why = new Error('cancelled');
    const stop = new AbortController();
    let ended = false;
    async function* endless() {
      try {
        for (;;) {
          yield Buffer.alloc(1);
        }
      } finally {
        ended = true;
      }
    }
    await expect(
      (async () => {
        for await (const _ of abortable(endless(), stop.signal)) {
          stop.abort(why);
        }
      })(),
    ).rejects.toBe(why);
    expect(ended).toBe(true);
    await expect(abortable(endless(), stop.signal).next()).rejects.toBe(why);
  });
});
