import { createSecretKey } from 'node:crypto';
import type { Client } from 'ssh2';

/** The parts of ssh2 1.17 that are not in its documentation and are relied upon here. */
interface Internals {
  _protocol?: {
    _cipher?: { _encKey?: unknown };
    _decipher?: { _decipherKey?: unknown };
  };
}

/**
 * ssh2 starts a cipher for every packet. With the bytes of a key node:crypto takes 20 microseconds for that,
 * with a KeyObject two (Node 24.21): at 400 MB/s, a quarter of a processor. So the keys are exchanged for
 * KeyObjects whenever they have been negotiated.
 *
 * Where ssh2 is not built as expected, nothing happens, and it is slower.
 */
export function prepareCipherKeys(client: Client): void {
  client.on('handshake', () => {
    const { _cipher, _decipher } = (client as Internals)._protocol ?? {};
    if (Buffer.isBuffer(_cipher?._encKey)) {
      _cipher._encKey = createSecretKey(_cipher._encKey);
    }
    if (Buffer.isBuffer(_decipher?._decipherKey)) {
      _decipher._decipherKey = createSecretKey(_decipher._decipherKey);
    }
  });
}
