import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { AddressInfo, createServer, Server } from 'node:net';

/** Addresses of the loopback network that one lab has for itself, and a port that is free on them. */
export interface LoopbackNetwork {
  port: number;
  /** @param host - 1 to 254 */
  address(host: number): string;
  release(): void;
}

/** Takes a /24 of 127.0.0.0/8 that no other lab has, whatever process runs that. */
export async function takeLoopbackNetwork(): Promise<LoopbackNetwork> {
  for (;;) {
    // Not 127.0 and its likes, where resolvers and host names are.
    const network = `127.${randomInt(16, 255)}.${randomInt(0, 255)}`;
    // A name of its own among those of the kernel, gone with this process.
    const claim = await listen({ path: `\0cluster-backup-lab ${network}` });
    if (!claim) continue;
    const address = (host: number) => `${network}.${host}`;
    const probe = await listen({ host: address(1), port: 0 });
    if (!probe) throw new Error(`Nothing can listen on ${address(1)}.`);
    const { port } = probe.address() as AddressInfo;
    probe.close();
    return { port, address, release: () => claim.close() };
  }
}

/** Nothing where it is taken. */
async function listen(
  where: { path: string } | { host: string; port: number },
): Promise<Server | undefined> {
  const server = createServer();
  server.listen(where);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return undefined;
    }
    throw error;
  }
}
