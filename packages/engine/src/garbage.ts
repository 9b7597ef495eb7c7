import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const EVERY_MS = 60;

/**
 * A backup's bytes flow by in buffers outside of V8's heap, which itself stays small, and V8 collects all garbage
 * whenever these outgrow the heap: every 24 MB. Nearly all of them are young, and collecting those takes half a
 * millisecond: done often, and all garbage half as often, a backup takes a seventh less processor time and less memory
 * (measured with Node 24.21). What flags do may change with V8; that they are unknown changes nothing.
 */
export function collectYoungGarbage(): void {
  setFlagsFromString('--heap-growing-percent=200');
  setFlagsFromString('--expose-gc');
  const collect: NodeJS.GCFunction | undefined =
    runInNewContext('globalThis.gc');
  if (collect) {
    setInterval(() => collect({ type: 'minor' }), EVERY_MS).unref();
  }
}
