import { setTimeout as sleep } from 'node:timers/promises';
import { fanOut } from './fanOut';

async function* chunks(count: number, taken: { produced: number }) {
  for (let i = 0; i < count; i++) {
    taken.produced++;
    yield Buffer.from([i % 256]);
  }
}

describe('fanOut', () => {
  it('gives every taker all bytes at the pace of the slowest', async () => {
    const progress = { produced: 0 };
    let slowest = 0;
    let ahead = 0;
    const received: number[][] = [[], [], []];
    await fanOut(
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
      fanOut(chunks(1000, { produced: 0 }), [
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
      fanOut(broken(), [
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
