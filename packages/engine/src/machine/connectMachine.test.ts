import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { AddressInfo, createServer } from 'node:net';
import { connectMachine, ConnectOptions } from './connectMachine';
import { Machine, MachineAccess } from './Machine';
import { failure } from './__testUtils__/failure';
import { freePort, SshServer, startSshServer } from './__testUtils__/sshServer';

let server: SshServer;
let other: SshServer;
const machines: Machine[] = [];

beforeAll(async () => {
  [server, other] = await Promise.all([
    startSshServer({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] }),
    startSshServer({
      hostKeys: ['ecdsa'],
      config: [
        'ForceCommand echo no',
        'Match User operator',
        'AuthenticationMethods publickey,publickey',
        'Match all',
      ],
    }),
  ]);
});
afterEach(async () => {
  await Promise.all(machines.splice(0).map(machine => machine.close()));
});
afterAll(async () => {
  await Promise.all([server?.close(), other?.close()]);
});

async function connect(access: MachineAccess, options?: ConnectOptions) {
  const machine = await connectMachine(access, options);
  machines.push(machine);
  return machine;
}

function hostKey(type: string): string {
  return readFileSync(`${server.hostKeyFile(type)}.pub`, 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ');
}

function fingerprintOf(type: string): string {
  return execFileSync('ssh-keygen', ['-lf', server.hostKeyFile(type)])
    .toString()
    .split(' ')[1];
}

function knownAs(key: string, marker = ''): Partial<MachineAccess> {
  const knownHosts = `${marker}[127.0.0.1]:${server.port} ${key}\n`;
  return { hostKeys: { mode: 'strict', knownHosts } };
}

const strangersKey = (() => {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({
    format: 'jwk',
  });
  return `ssh-ed25519 ${Buffer.concat([
    Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'),
    Buffer.from(x!, 'base64url'),
  ]).toString('base64')}`;
})();

describe('host keys', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'])(
    'accepts a known %s key, though the machine has others',
    async type => {
      const machine = await connect(server.access(knownAs(hostKey(type))));
      expect(machine.hostKey).toBe(hostKey(type));
    },
  );

  it('refuses a machine without a known key, and tells how to make it known', async () => {
    const error = await failure(
      connect(server.access({ hostKeys: { mode: 'strict' } })),
    );
    expect(error.code).toBe('host-key-unknown');
    expect(error.message).toContain(fingerprintOf('ed25519'));
    expect(error.remedy).toContain(
      `[127.0.0.1]:${server.port} ${hostKey('ed25519')}`,
    );
  });

  it('trusts on first use where asked, reports the key, and holds the machine to it', async () => {
    const lines: string[] = [];
    const hostKeys = { mode: 'trust-on-first-use' as const };
    await connect(server.access({ hostKeys }), {
      onNewHostKey: line => lines.push(line),
    });
    expect(lines).toEqual([`[127.0.0.1]:${server.port} ${hostKey('ed25519')}`]);

    await connect(
      server.access({ hostKeys: { ...hostKeys, knownHosts: lines[0] } }),
      { onNewHostKey: line => lines.push(line) },
    );
    expect(lines).toHaveLength(1);

    const knownHosts = lines[0].replace(hostKey('ed25519'), strangersKey);
    const error = await failure(
      connect(server.access({ hostKeys: { ...hostKeys, knownHosts } })),
    );
    expect(error.code).toBe('host-key-changed');
  });

  it('stops at a changed key and names both', async () => {
    const error = await failure(connect(server.access(knownAs(strangersKey))));
    expect(error.code).toBe('host-key-changed');
    expect(error.details).toMatchObject({
      machine: 'cp1',
      presented: fingerprintOf('ed25519'),
      expected: [expect.stringMatching(/^SHA256:/)],
    });
    expect(error.message).toContain(fingerprintOf('ed25519'));
  });

  it('stops when the known type of key is gone and another is offered instead', async () => {
    const knownHosts = `[127.0.0.1]:${other.port} ${strangersKey}`;
    const error = await failure(
      connect(other.access({ hostKeys: { mode: 'strict', knownHosts } })),
    );
    expect(error.code).toBe('host-key-changed');
  });

  it('stops at a revoked key, even where the same key is known', async () => {
    const known = knownAs(hostKey('ed25519')).hostKeys!;
    const knownHosts = `${known.knownHosts}@revoked * ${hostKey('ed25519')}`;
    const error = await failure(
      connect(server.access({ hostKeys: { mode: 'strict', knownHosts } })),
    );
    expect(error.code).toBe('host-key-revoked');
  });

  it('does not take a certificate authority for the host', async () => {
    const error = await failure(
      connect(server.access(knownAs(hostKey('ed25519'), '@cert-authority '))),
    );
    expect(error.code).toBe('host-key-unknown');
    expect(error.message).toContain('@cert-authority');
  });

  it('trusts nobody when a revocation cannot be read', async () => {
    const error = await failure(
      connect(
        server.access({
          hostKeys: {
            mode: 'strict',
            knownHosts: `${server.knownHosts}@revoked * ssh-ed25519 AAAA`,
          },
        }),
      ),
    );
    expect(error.code).toBe('known-hosts-unreadable');
  });

  it.each(['ed25519', 'ecdsa', 'rsa'])(
    'finds the %s key that a fingerprint pins',
    async type => {
      const machine = await connect(
        server.access({
          hostKeys: { mode: 'strict', pinned: [fingerprintOf(type)] },
        }),
      );
      expect(machine.hostKey).toBe(hostKey(type));
    },
  );

  it('refuses every key but the pinned ones, whatever known_hosts says', async () => {
    const error = await failure(
      connect(
        server.access({
          hostKeys: {
            mode: 'trust-on-first-use',
            knownHosts: server.knownHosts,
            pinned: ['SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
          },
        }),
      ),
    );
    expect(error.code).toBe('host-key-changed');
  });
});

describe('logging in', () => {
  it('refuses a key that the machine does not know', async () => {
    const privateKey = generateKeyPairSync('ed25519')
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
    const error = await failure(connect(server.access({ privateKey })));
    expect(error.code).toBe('machine-login-refused');
    expect(error.details).toMatchObject({ user: 'root', machine: 'cp1' });
  });

  it('refuses a user that does not exist', async () => {
    const error = await failure(connect(server.access({ user: 'nobodyhere' })));
    expect(error.code).toBe('machine-login-refused');
  });

  it('says so when a key alone is not enough', async () => {
    const error = await failure(connect(other.access({ user: 'operator' })));
    expect(error.code).toBe('machine-login-refused');
    expect(error.details.furtherMethods).toEqual(['publickey']);
  });

  it.each([
    ['prints text of its own', 'chatty', 'login-shell-noisy'],
    ['runs nothing', 'outsider', 'login-shell-unsupported'],
  ])('refuses a login shell that %s', async (_, user, code) => {
    const error = await failure(connect(server.access({ user })));
    expect(error.code).toBe(code);
  });

  it('refuses a login that is bound to one command', async () => {
    const error = await failure(connect(other.access()));
    expect(error.code).toBe('login-shell-unsupported');
  });
});

describe('reaching the machine', () => {
  it('says that nothing listens', async () => {
    const port = await freePort();
    const error = await failure(connect(server.access({ port })));
    expect(error.code).toBe('machine-unreachable');
    expect(error.message).toContain('refuses connections');
  });

  it('says that a name does not resolve', async () => {
    const error = await failure(
      connect(server.access({ address: 'nowhere.invalid' })),
    );
    expect(error.code).toBe('machine-unreachable');
    expect(error.details.reason).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });

  it('says that something else listens', async () => {
    const web = createServer(socket => socket.end('HTTP/1.1 400 \r\n\r\n'));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    const error = await failure(connect(server.access({ port })));
    web.close();
    expect(error.code).toBe('machine-unreachable');
  });

  it('can be called off at any time', async () => {
    const silent = createServer(socket =>
      socket.on('error', () => undefined),
    ).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const controller = new AbortController();
    const connecting = connect(server.access({ port }), {
      signal: controller.signal,
    });
    const reason = new Error('not wanted any more');
    setTimeout(() => controller.abort(reason), 50);
    await expect(connecting).rejects.toBe(reason);
    await expect(
      connect(server.access(), { signal: controller.signal }),
    ).rejects.toBe(reason);
    silent.close();
  });
});

describe('through jump hosts', () => {
  function behind(...names: string[]): MachineAccess {
    return names.reduce<MachineAccess>(
      (jump, name) => server.access({ name, jump }),
      undefined as unknown as MachineAccess,
    );
  }

  it('goes through a chain of them, each with its own host key', async () => {
    const machine = await connect(behind('bastion', 'inner', 'cp1'));
    const { stdout } = await machine.run(['echo', 'there']);
    expect(stdout).toBe('there\n');
  });

  it('tells which machine on the way is the one that fails', async () => {
    const jump = server.access({ name: 'bastion', ...knownAs(strangersKey) });
    const unknownJump = await failure(connect(server.access({ jump })));
    expect(unknownJump.code).toBe('host-key-changed');
    expect(unknownJump.details.machine).toBe('bastion');

    const target = await failure(
      connect({ ...behind('bastion', 'cp1'), port: await freePort() }),
    );
    expect(target.code).toBe('machine-unreachable');
    expect(target.details).toMatchObject({ machine: 'cp1', via: 'bastion' });
  });

  it('goes through one whose user has no shell', async () => {
    const jump = server.access({ name: 'bastion', user: 'outsider' });
    const machine = await connect(server.access({ jump }));
    expect((await machine.run(['echo', 'there'])).stdout).toBe('there\n');
  });
});
