import { countedChunks } from './__testUtils__/memory';
import { abortable } from './abortable';

describe('abortable', () => {
  it('keeps nothing of what has passed', async () => {
    const { signal } = new AbortController();
    const { chunks, held } = countedChunks(400);
    let passed = 0;
    let most = 0;
    for await (const _ of abortable(chunks, signal)) {
      passed += 1;
      if (passed % 100 === 0) most = Math.max(most, await held());
    }
    expect(passed).toBe(400);
    expect(most).toBeLessThan(10);
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
