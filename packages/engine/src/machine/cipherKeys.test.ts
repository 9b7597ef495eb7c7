import { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { Client } from './ssh2';
import { prepareCipherKeys } from './cipherKeys';
import { SshServer, startSshServer } from './__testUtils__/sshServer';

let server: SshServer;
beforeAll(async () => {
  // New session keys every two megabytes.
  server = await startSshServer({ config: ['RekeyLimit 2M'] });
});
afterAll(() => server?.close());

it('changes nothing that is sent or received, over many changes of keys', async () => {
  const client = new Client();
  prepareCipherKeys(client);
  let handshakes = 0;
  client.on('handshake', () => handshakes++);
  client.connect({
    host: '127.0.0.1',
    port: server.port,
    username: 'root',
    privateKey: server.privateKey,
  });
  await once(client, 'ready');

  let size = 0;
  await new Promise((resolve, reject) => {
    client.exec('cat', (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      channel.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      channel.on('close', resolve);
      channel.end(Buffer.alloc(12_000_000));
    });
  });
  expect(size).toBe(12_000_000);
  expect(handshakes).toBeGreaterThan(2);

  const { _cipher, _decipher } = (client as any)._protocol;
  const keys = [_cipher._encKey, _decipher._decipherKey];
  expect(keys).toEqual([expect.any(KeyObject), expect.any(KeyObject)]);
  client.end();
});
