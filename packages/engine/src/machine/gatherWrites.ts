import { Duplex } from 'node:stream';

/**
 * Hands over together what is written in one turn of the event loop. ssh2 writes every packet in three pieces,
 * which would become three system calls, and without Nagle's delay three TCP segments.
 */
export function gatherWrites(stream: Duplex): void {
  const write = stream.write;
  let isGathering = false;
  stream.write = function gather(...chunk: unknown[]) {
    if (!isGathering) {
      isGathering = true;
      stream.cork();
      process.nextTick(() => {
        isGathering = false;
        stream.uncork();
      });
    }
    return Reflect.apply(write, stream, chunk);
  };
}
