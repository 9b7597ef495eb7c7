import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, ClientChannel } from 'ssh2';
import { widenChannelWindow, windowFor } from './channelWindow';
import { SshServer, startSshServer } from './__testUtils__/sshServer';

const SIZE = 40_000_000;
const WINDOW = windowFor(60);

let server: SshServer;
const client = new Client();
beforeAll(async () => {
  server = await startSshServer();
  client.connect({
    host: '127.0.0.1',
    port: server.port,
    username: 'root',
    privateKey: server.privateKey,
  });
  await once(client, 'ready');
});
afterAll(async () => {
  client.destroy();
  await server?.close();
});

function exec(command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
}

/** What has come by the time that nothing more does. */
async function settledLength(channel: ClientChannel): Promise<number> {
  let length = -1;
  while (length !== channel.readableLength) {
    length = channel.readableLength;
    await sleep(300);
  }
  return length;
}

async function rest(channel: ClientChannel): Promise<number> {
  let size = 0;
  channel.on('data', (chunk: Buffer) => {
    size += chunk.length;
  });
  await once(channel, 'close');
  return size;
}

it('lets a whole window come before it is read, not more, and then the rest', async () => {
  const channel = await exec(`head -c ${SIZE} /dev/zero`);
  expect(widenChannelWindow(channel, WINDOW)).toBe(true);
  channel.stderr.resume();
  const ahead = await settledLength(channel);
  expect(ahead).toBeGreaterThan(WINDOW / 2);
  expect(ahead).toBeLessThanOrEqual(WINDOW);
  expect(await rest(channel)).toBe(SIZE);
});

it.each([
  [0, 2 * 1024 * 1024],
  [20, 2 * 1024 * 1024 + 4_000_000],
  [5000, 16 * 1024 * 1024],
])(
  'lets as much come ahead as a round trip of %s ms asks for',
  (openedInMs, window) => {
    expect(windowFor(openedInMs)).toBe(window);
  },
);

it('leaves a channel alone that is not built as expected', async () => {
  const channel = await exec(`head -c ${SIZE} /dev/zero`);
  Object.defineProperty(channel, 'incoming', {
    value: { ...(channel as any).incoming, window: undefined },
  });
  const read = channel._read;
  expect(widenChannelWindow(channel, WINDOW)).toBe(false);
  expect(channel._read).toBe(read);
  expect(widenChannelWindow({} as ClientChannel, WINDOW)).toBe(false);
  channel.close();
});
