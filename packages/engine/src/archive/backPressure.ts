/** What Node's streams and tar-stream's have in common. */
interface Emitter {
  once(event: 'drain' | 'close', listener: () => void): unknown;
  removeListener(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Resolves when a stream that refused takes more, or never will: for one that is closed, when it closes. */
export function drainedOrClosed(stream: Emitter): Promise<void> {
  return new Promise(resolve => {
    const settled = () => {
      stream.removeListener('drain', settled);
      stream.removeListener('close', settled);
      resolve();
    };
    stream.once('drain', settled);
    stream.once('close', settled);
  });
}
