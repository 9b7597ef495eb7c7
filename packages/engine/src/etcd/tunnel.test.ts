import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { AddressInfo, connect, createServer, Server, Socket } from 'node:net';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { openTunnel, Tunnel } from './tunnel';
import { localMachine } from './__testUtils__/localMachine';

describe('openTunnel', () => {
  let server: Server;
  let port: number;
  let accepted: Socket[];
  let tunnel: Tunnel;
  const path = () => tunnel.target.slice('unix:'.length);

  beforeEach(async () => {
    accepted = [];
    server = createServer(socket => {
      accepted.push(socket);
      socket.on('error', () => {});
      socket.write('hello');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    tunnel = await openTunnel(localMachine(), '127.0.0.1', port);
  });
  afterEach(async () => {
    await tunnel.close();
    accepted.forEach(socket => socket.destroy());
    server.close();
  });

  it('leads to the address, and lets nobody else in', async () => {
    expect(statSync(dirname(path())).mode & 0o777).toBe(0o700);
    const local = connect(path());
    const [hello] = await once(local, 'data');
    expect(String(hello)).toBe('hello');
    const got = text(accepted[0]);
    local.end('all of it');
    expect(await got).toBe('all of it');
  });

  it('tells of the end of the other side, and of none there', async () => {
    const local = connect(path());
    await once(local, 'data');
    accepted[0].resetAndDestroy();
    await once(local, 'close');
    expect(tunnel.lastError()).toMatchObject({ code: 'ECONNRESET' });

    server.close();
    await once(connect(path()), 'close');
    expect(tunnel.lastError()).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('leaves nothing behind', async () => {
    const local = connect(path());
    await once(local, 'data');
    const gone = once(accepted[0], 'close');
    accepted[0].resume();
    await tunnel.close();
    await gone;
    expect(existsSync(dirname(path()))).toBe(false);
  });
});
