import { text } from 'node:stream/consumers';
import { connectMachine } from './connectMachine';
import { MachineAccess } from './Machine';
import { startSshServer, SshServer } from './__testUtils__/sshServer';

let server: SshServer;
beforeAll(async () => {
  server = await startSshServer();
});
afterAll(() => server?.close());

function access(overrides: Partial<MachineAccess> = {}): MachineAccess {
  return {
    name: 'cp1',
    address: '127.0.0.1',
    port: server.port,
    user: 'root',
    privateKey: server.privateKey,
    hostKeys: { mode: 'strict', knownHosts: server.knownHosts },
    ...overrides,
  };
}

it('smoke', async () => {
  for (const user of ['root', 'operator']) {
    const m = await connectMachine(access({ user }));
    expect((await m.run(['id', '-un'])).stdout).toBe('root\n');
    expect((await m.run(['id', '-un'], { root: false })).stdout).toBe(
      `${user}\n`,
    );
    expect((await m.run(['cat'], { input: 'abc' })).stdout).toBe('abc');
    expect(await text(m.read(['echo', 'x y']))).toBe('x y\n');
    expect(
      (
        await m.write(
          ['cat'],
          (async function* gen() {
            yield Buffer.from('1');
            yield Buffer.from('2');
          })(),
        )
      ).stdout,
    ).toBe('12');
    const d = await m.dial('127.0.0.1', server.port);
    d.end();
    expect(await text(d)).toMatch(/^SSH-2.0/);
    await m.close();
    expect(m.lost.aborted).toBe(true);
  }
});
