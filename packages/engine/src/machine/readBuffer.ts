import { connect, Socket, TcpNetConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import type { Client, NegotiatedAlgorithms } from 'ssh2';

/** Eight of SSH's packets: most are whole in it, so that ssh2 need not put them together. */
const READ_BUFFER = 256 * 1024;

const reusing = new WeakSet<Duplex>();

/**
 * Opens a TCP connection that reads into one buffer. Node's own way takes 64 KiB of new memory for each read, which at
 * 300 MB/s keeps the garbage collector busy. The socket is paused, and nothing else than `data` tells what it reads.
 */
export function connectReadingIntoOneBuffer(
  options: TcpNetConnectOpts,
): Socket {
  const socket: Socket = connect({
    ...options,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BUFFER),
      callback: (size, buffer) => {
        const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, size);
        socket.emit('data', reusing.has(socket) ? bytes : Buffer.from(bytes));
        return true;
      },
    },
  });
  return socket.pause();
}

/** The parts of ssh2 1.17 that are not in its documentation and are relied upon here. */
interface Internals {
  _protocol?: { _decipher?: { _decipherKey?: unknown } };
}

/**
 * Lets the buffer be used again where ssh2 keeps nothing of what it was given: AES-GCM is decrypted piece by piece into
 * memory of its own. In the first handshake, with other ciphers parts of packets wait
 * where they lie; then each read is copied.
 */
export function reuseReadBuffer(client: Client, stream: Duplex): void {
  client.on('handshake', (negotiated: NegotiatedAlgorithms) => {
    const { _decipher } = (client as Internals)._protocol ?? {};
    const isPiecewise = _decipher !== undefined && '_decipherKey' in _decipher;
    if (isPiecewise && /^aes\d+-gcm/.test(negotiated.sc.cipher)) {
      reusing.add(stream);
    } else {
      reusing.delete(stream);
    }
  });
}
