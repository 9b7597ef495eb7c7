import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { ClusterAccess } from '@cluster-backup/engine';

/** A machine that takes connections and never says a word. */
export async function silentMachine(sockets: Set<Socket>) {
  const server = createServer(socket => sockets.add(socket.resume()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A cluster of one machine on that port; nobody listens on port 1. */
export function clusterAt(port: number): ClusterAccess {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    name: 'lab',
    layout: 'kubeadm',
    controlPlane: [
      {
        name: 'cp-1',
        address: '127.0.0.1',
        port,
        user: 'root',
        privateKey: privateKey.export({
          type: 'pkcs1',
          format: 'pem',
        }) as string,
        hostKeys: { mode: 'trust-on-first-use' },
      },
    ],
    workers: [],
  };
}
