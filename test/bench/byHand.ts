import { AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { measured, Usage } from './measured';
import { Workplace } from './workplace';

/** A backup as an operator types it. */
export async function backupByHand(
  place: Workplace,
  work: string,
  compressor: string[],
): Promise<{ archive: string; usage: Usage }> {
  const archive = join(work, 'archive.tar.gz.age');
  const { stdout, ...usage } = await measured(place.folder, [
    resolve('test/bench/operator-backup.sh'),
    ...[place.sshConfig, place.lab.nodes[0].name, String(await freePort())],
    ...[work, place.recipient, archive],
    ...compressor,
  ]);
  return { archive, usage };
}

/** A restore as an operator types it; etcdutl lies on the nodes already. */
export async function restoreByHand(
  place: Workplace,
  work: string,
  archive: string,
): Promise<Usage> {
  const { stdout, ...usage } = await measured(place.folder, [
    resolve('test/bench/operator-restore.sh'),
    ...[place.sshConfig, archive, place.identityFile, work],
    ...place.lab.nodes.map(
      ({ name, internalAddress }) => `${name}=https://${internalAddress}:2380`,
    ),
  ]);
  return usage;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(listening => {
    server.listen(0, '127.0.0.1', () => listening());
  });
  const { port } = server.address() as AddressInfo;
  await new Promise(closed => {
    server.close(closed);
  });
  return port;
}
