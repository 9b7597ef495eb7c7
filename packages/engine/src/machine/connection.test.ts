import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { connectMachine } from './connectMachine';
import { Machine, MachineAccess } from './Machine';
import { failure } from './__testUtils__/failure';
import { Relay, startRelay } from './__testUtils__/relay';
import { SshServer, startSshServer } from './__testUtils__/sshServer';

let server: SshServer;
let relay: Relay;
const machines: Machine[] = [];
beforeAll(async () => {
  server = await startSshServer();
});
beforeEach(async () => {
  relay = await startRelay(server.port);
});
afterEach(async () => {
  await Promise.all(machines.splice(0).map(machine => machine.close()));
  await relay.close();
});
afterAll(() => server?.close());

async function connect(access: MachineAccess) {
  const machine = await connectMachine(access);
  machines.push(machine);
  return machine;
}

function relayed(): MachineAccess {
  const knownHosts = server.knownHosts.replaceAll(
    `:${server.port} `,
    `:${relay.port} `,
  );
  return server.access({
    port: relay.port,
    hostKeys: { mode: 'strict', knownHosts },
  });
}

/** A source that never says a word. */
async function* silentSource() {
  await new Promise(() => undefined);
  yield Buffer.alloc(0);
}

it('notices within 10 s that the link has gone silent, and within 17 s that it was so from the start', async () => {
  const mute = createServer(socket =>
    socket.on('error', () => undefined),
  ).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const start = performance.now();
  const { port: mutePort } = mute.address() as AddressInfo;
  const neverThere = failure(connect(server.access({ port: mutePort })));

  const lost = [
    await connect(relayed()),
    await connect(server.access({ jump: { ...relayed(), name: 'bastion' } })),
  ];
  const { port } = server;
  const pending: Array<Promise<Error>> = [];
  for (const machine of lost) {
    const tunnel = await machine.dial('127.0.0.1', port);
    tunnel.resume();
    pending.push(
      failure(machine.run(['sleep', '100'])),
      failure(machine.read(['sleep', '100']).toArray()),
      failure(machine.write(['cat'], silentSource())),
      once(tunnel, 'error').then(([error]) => error),
    );
    await machine.run(['true']);
  }

  relay.silence();
  const silentSince = performance.now();
  const errors = await Promise.all(pending);
  const elapsed = performance.now() - silentSince;
  expect(errors).toEqual(
    errors.map(() =>
      expect.objectContaining({ code: 'machine-connection-lost' }),
    ),
  );
  expect(elapsed).toBeGreaterThan(4_000);
  expect(elapsed).toBeLessThan(10_000);
  for (const machine of lost) {
    expect(machine.lost.aborted).toBe(true);
    expect((await failure(machine.run(['true']))).code).toBe(
      'machine-connection-lost',
    );
    expect((await failure(machine.dial('127.0.0.1', port))).code).toBe(
      'machine-connection-lost',
    );
  }

  expect((await neverThere).code).toBe('machine-unreachable');
  expect(performance.now() - start).toBeLessThan(17_000);
  mute.close();
});
it('notices at once that it was cut', async () => {
  const machine = await connect(relayed());
  const pending = failure(machine.run(['sleep', '100']));
  await machine.run(['true']);
  relay.cut();
  expect((await pending).code).toBe('machine-connection-lost');
  expect(machine.lost.reason).toMatchObject({
    code: 'machine-connection-lost',
  });
});

it('fails what runs when it is closed from here', async () => {
  const machine = await connect(relayed());
  const pending = failure(machine.run(['sleep', '100']));
  await machine.run(['true']);
  await machine.close();
  expect((await pending).code).toBe('machine-connection-closed');
  expect((await failure(machine.run(['true']))).code).toBe(
    'machine-connection-closed',
  );
  await machine.close();
});
