import { setTimeout as sleep } from 'node:timers/promises';
import { fanOut, fanOutTogether } from './fanOut';

async function* chunks(count: number, taken: { produced: number }) {
  for (let i = 0; i < count; i++) {
    taken.produced++;
    yield Buffer.from([i % 256]);
  }
}

describe('fanOutTogether', () => {
  it('gives every taker all bytes at the pace of the slowest', async () => {
    const progress = { produced: 0 };
    let slowest = 0;
    let ahead = 0;
    const received: number[][] = [[], [], []];
    await fanOutTogether(
      chunks(200, progress),
      received.map((mine, i) => async source => {
        for await (const chunk of source) {
          mine.push(chunk[0]);
          if (i === 1) {
            await sleep(1);
            slowest++;
            ahead = Math.max(ahead, progress.produced - slowest);
          }
        }
      }),
    );
    const all = Array.from({ length: 200 }, (_, i) => i % 256);
    expect(received).toEqual([all, all, all]);
    expect(ahead).toBeLessThan(20);
  });

  it('ends all takers when one fails, and tells its error', async () => {
    const ended: string[] = [];
    await expect(
      fanOutTogether(chunks(1000, { produced: 0 }), [
        async source => {
          try {
            for await (const _ of source) await sleep(1);
          } finally {
            ended.push('patient');
          }
        },
        async () => {
          await sleep(5);
          throw new Error('disk full');
        },
      ]),
    ).rejects.toThrow('disk full');
    expect(ended).toEqual(['patient']);
  });

  it('ends all takers when the source fails', async () => {
    async function* broken() {
      yield Buffer.from('a');
      throw new Error('cut');
    }
    const seen: unknown[] = [];
    await expect(
      fanOutTogether(broken(), [
        async source => {
          try {
            for await (const _ of source);
          } catch (error) {
            seen.push(error);
            throw error;
          }
        },
      ]),
    ).rejects.toThrow('cut');
    expect(seen).toHaveLength(1);
  });
});

describe('fanOut', () => {
  it('goes on without those that fail, at the pace of those that are left', async () => {
    let passed = 0;
    const results = await fanOut(chunks(100, { produced: 0 }), [
      async source => {
        for await (const _ of source) {
          await sleep(1);
          passed += 1;
        }
        return 'whole';
      },
      async source => {
        for await (const _ of source) throw new Error('disk full');
        return 'never';
      },
    ]);
    expect(passed).toBe(100);
    expect(results).toEqual([
      { status: 'fulfilled', value: 'whole' },
      { status: 'rejected', reason: new Error('disk full') },
    ]);
  });

  it('takes no more from the source when nobody is left', async () => {
    const progress = { produced: 0 };
    const results = await fanOut(chunks(1000, progress), [
      async () => {
        throw new Error('gone');
      },
    ]);
    expect(results).toMatchObject([{ status: 'rejected' }]);
    expect(progress.produced).toBeLessThan(20);
  });
});
