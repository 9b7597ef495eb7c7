import { once } from 'node:events';
import { AddressInfo, connect, createServer, Socket } from 'node:net';

export interface Relay {
  port: number;
  /** From here on no byte passes, and nobody is told. */
  silence(): void;
  /** Ends all connections at once. */
  cut(): void;
  close(): Promise<void>;
}

/** Passes TCP connections on to a port of this machine. */
export async function startRelay(to: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const pass = (from: Socket, into: Socket) => {
    sockets.add(from);
    from.on('error', () => into.destroy());
    from.on('close', () => into.destroy());
    from.on('data', chunk => {
      if (!isSilent && !into.write(chunk)) {
        from.pause();
        into.once('drain', () => from.resume());
      }
    });
  };
  const server = createServer(near => {
    const far = connect(to, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => sockets.forEach(socket => socket.destroy());
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      isSilent = true;
    },
    cut,
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
