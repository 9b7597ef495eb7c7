import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** What is in memory and not garbage, in bytes. */
export async function liveBytes(): Promise<number> {
  // A WeakRef that was looked at holds on to its target until the turn ends.
  await turn();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A stream of chunks that knows how many of those it gave are still held by anybody. */
export function countedChunks(count: number) {
  const given: Array<WeakRef<Uint8Array>> = [];
  async function* chunks() {
    for (let i = 0; i < count; i++) {
      const chunk = Buffer.alloc(64 * 1024, i);
      given.push(new WeakRef(chunk));
      yield chunk;
      if (i % 16 === 0) await turn();
    }
  }
  return {
    chunks: chunks(),
    async held(): Promise<number> {
      await liveBytes();
      return given.filter(chunk => chunk.deref()).length;
    },
  };
}
