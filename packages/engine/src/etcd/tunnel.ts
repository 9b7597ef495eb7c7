import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine } from '../machine/Machine';

/** A private local socket whose connections come out on a machine. */
export interface Tunnel {
  /** As grpc-js takes it. */
  target: string;
  /** Why the last connection could not be opened or broke. */
  lastError(): Error | undefined;
  close(): Promise<void>;
}

/**
 * Opens a Unix socket, in a folder that only this user can enter, that leads to an address as seen from a machine.
 * grpc-js takes addresses only, no streams.
 */
export async function openTunnel(
  machine: Machine,
  host: string,
  port: number,
): Promise<Tunnel> {
  const folder = await mkdtemp(join(tmpdir(), 'cb-'));
  await chmod(folder, 0o700);
  const path = join(folder, 's');
  const open = new Set<Socket>();
  let failure: Error | undefined;

  const server = createServer({ allowHalfOpen: true }, local => {
    open.add(local);
    local.on('error', () => {});
    local.on('close', () => open.delete(local));
    machine.dial(host, port).then(
      remote => {
        const end = (error?: Error | null) => {
          failure = error ?? failure;
          local.destroy();
          remote.destroy();
        };
        if (local.destroyed) {
          remote.on('error', () => {});
          remote.destroy();
          return;
        }
        remote.on('error', end);
        remote.on('close', () => end());
        local.on('close', () => end());
        // An end of the other side is told as a broken connection: HTTP/2 has no half-closed connections.
        remote.on('end', () => local.end());
        local.on('end', () => remote.end());
        local.pipe(remote, { end: false });
        remote.pipe(local, { end: false });
      },
      (error: Error) => {
        failure = error;
        local.destroy();
      },
    );
  });
  const close = async () => {
    for (const socket of open) {
      socket.destroy();
    }
    await new Promise(done => {
      server.close(done);
    });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return { target: `unix:${path}`, lastError: () => failure, close };
}
