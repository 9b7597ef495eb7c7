import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { AddressInfo, createServer, Server, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectMachine } from './connectMachine';
import { Machine } from './Machine';
import { failure } from './__testUtils__/failure';
import { freePort, SshServer, startSshServer } from './__testUtils__/sshServer';

let server: SshServer;
let narrow: SshServer;
const asUser: Record<string, Machine> = {};
let forbidding: Machine;

beforeAll(async () => {
  [server, narrow] = await Promise.all([
    startSshServer(),
    startSshServer({
      config: ['AllowTcpForwarding no', 'MaxSessions 2', 'RekeyLimit 4M'],
    }),
  ]);
  for (const user of ['root', 'operator', 'nobodyspecial', 'terminal']) {
    asUser[user] = await connectMachine(server.access({ user }));
  }
  forbidding = await connectMachine(narrow.access());
});
afterAll(async () => {
  const all = [...Object.values(asUser), forbidding];
  await Promise.all(all.map(machine => machine?.close()));
  await Promise.all([server?.close(), narrow?.close()]);
});

async function* chunks(...list: Uint8Array[]) {
  yield* list;
}

async function sha256(source: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of source) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

describe.each(['root', 'operator'])('commands as %s', user => {
  let machine: Machine;
  beforeAll(() => {
    machine = asUser[user];
  });

  it('run as root, or as the user who logged in', async () => {
    expect((await machine.run(['id', '-un'])).stdout).toBe('root\n');
    expect((await machine.run(['id', '-un'], { root: false })).stdout).toBe(
      `${user}\n`,
    );
  });

  it('get exactly their arguments and no more than their input', async () => {
    const argv = ['', 'a b', "it's", '$HOME `id`', '-n', '\n', 'é*?[a]', '\\'];
    const { stdout } = await machine.run(['printf', '[%s]', ...argv]);
    expect(stdout).toBe(argv.map(argument => `[${argument}]`).join(''));
    expect((await machine.run(['cat'])).stdout).toBe('');
    expect((await machine.run(['cat'], { input: 'x\ny' })).stdout).toBe('x\ny');
  });

  it('speak the language that programs read', async () => {
    const { stdout } = await machine.run(['sh', '-c', 'echo $LC_ALL']);
    expect(stdout).toBe('C\n');
  });

  it('tell code and words when they fail', async () => {
    const script = 'echo out; echo first >&2; echo why >&2; exit 3';
    const error = await failure(machine.run(['sh', '-c', script]));
    expect(error.code).toBe('machine-command-failed');
    expect(error.message).toBe('sh on cp1 ended with code 3: why');
    expect(error.details).toEqual({
      machine: 'cp1',
      command: 'sh',
      code: 3,
      stderr: 'first\nwhy\n',
    });
    const accepted = await machine.run(['sh', '-c', script], {
      accept: [0, 3],
    });
    expect(accepted).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'first\nwhy\n',
    });
  });

  it('are told apart from commands that do not exist', async () => {
    const error = await failure(machine.run(['no-such-tool', '--help']));
    expect(error.code).toBe('machine-command-missing');
    expect(error.message).toContain('no-such-tool');
    const { code } = await machine.run(['no-such-tool'], { accept: [127] });
    expect(code).toBe(127);
  });

  it('tell the signal that killed them', async () => {
    const error = await failure(machine.run(['sh', '-c', 'kill -9 $$']));
    expect(error.code).toBe('machine-command-failed');
    expect(error.message).toMatch(/SIGKILL|code 137/);
  });

  it('tell their code even after they have closed their output', async () => {
    const script = 'exec >&- 2>&-; sleep 0.3; exit 5';
    for (const input of [undefined, 'given']) {
      const { code } = await machine.run(['sh', '-c', script], {
        input,
        accept: [5],
      });
      expect(code).toBe(5);
    }
  });

  it('are cut off when they print too much, on either side', async () => {
    const error = await failure(
      machine.run(['head', '-c', '2000', '/dev/zero'], { maxOutput: 1999 }),
    );
    expect(error.code).toBe('machine-output-too-long');
    const { stderr } = await machine.run([
      'sh',
      '-c',
      'head -c 1000000 /dev/zero >&2; echo the end >&2',
    ]);
    expect(stderr).toHaveLength(64 * 1024);
    expect(stderr).toMatch(/the end\n$/);
  });

  it('are cut off when their time is up', async () => {
    const error = await failure(
      machine.run(['sleep', '987'], { timeoutMs: 300 }),
    );
    expect(error.code).toBe('machine-command-timeout');
    expect(error.message).toContain('0.3 s');
  });

  it('are cut off when the caller wants no more', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const pending = [
      machine.run(['sleep', '986'], { signal }),
      machine.read(['sleep', '986'], { signal }).toArray(),
      machine.write(
        ['sleep', '986'],
        (async function* endless() {
          for (;;) {
            yield Buffer.alloc(65536);
            await sleep(1);
          }
        })(),
        { signal },
      ),
    ].map(promise => promise.catch(error => error));
    setTimeout(() => controller.abort(reason), 300);
    expect(await Promise.all(pending)).toEqual([reason, reason, reason]);
    await expect(machine.run(['true'], { signal })).rejects.toBe(reason);
    await expect(machine.read(['true'], { signal }).toArray()).rejects.toBe(
      reason,
    );
  });

  it('carry bytes both ways unchanged', async () => {
    const data = randomBytes(9_000_001);
    const wanted = createHash('sha256').update(data).digest('hex');
    const path = `${server.directory}/carried-${user}`;
    const written = await machine.write(
      ['sh', '-c', 'cat > "$1" && sha256sum < "$1"', 'sh', path],
      chunks(data.subarray(0, 5), data.subarray(5, 5), data.subarray(5)),
    );
    expect(written.stdout).toBe(`${wanted}  -\n`);
    expect(await sha256(machine.read(['cat', path]))).toBe(wanted);
  });

  it('fail the stream that reads them, after its bytes', async () => {
    const got: Buffer[] = [];
    const reading = async () => {
      const script = 'echo bytes; echo disk on fire >&2; exit 4';
      for await (const chunk of machine.read(['sh', '-c', script])) {
        got.push(chunk);
      }
    };
    const error = await failure(reading());
    expect(error.code).toBe('machine-command-failed');
    expect(error.message).toContain('disk on fire');
    expect(Buffer.concat(got).toString()).toBe('bytes\n');
  });

  it('fail the writer when they end early, whatever the source does', async () => {
    const never = (async function* hang() {
      yield Buffer.from('x');
      await new Promise(() => undefined);
    })();
    const full = await failure(
      machine.write(['sh', '-c', 'echo disk full >&2; exit 1'], never),
    );
    expect(full.message).toContain('disk full');

    const huge = Readable.from(
      (function* many() {
        for (let index = 0; index < 400; index++) {
          yield Buffer.alloc(65536);
        }
      })(),
    );
    const early = await failure(machine.write(['head', '-c', '9'], huge));
    expect(early.code).toBe('machine-command-failed');
    expect(early.message).toContain('before it had taken all of its input');
  });

  it('stop when the source fails, with its error', async () => {
    const failing = (async function* fail() {
      yield Buffer.alloc(100);
      throw new Error('the source broke');
    })();
    await expect(machine.write(['cat'], failing)).rejects.toThrow(
      'the source broke',
    );
  });
});

it.each([
  ['root', true],
  ['operator', true],
  ['operator', false],
])(
  'stops what runs for %s (root: %s) when the caller leaves',
  async (user, root) => {
    const machine = asUser[user];
    const controller = new AbortController();
    const running = machine.run(['sleep', '4711'], {
      root,
      signal: controller.signal,
    });
    const isThere = async () =>
      (await machine.run(['pgrep', '-fx', 'sleep 4711'], { accept: [0, 1] }))
        .code === 0;
    while (!(await isThere())) {
      await sleep(20);
    }
    controller.abort();
    await expect(running).rejects.toThrow();
    for (let attempt = 0; (await isThere()) && attempt < 100; attempt++) {
      await sleep(20);
    }
    expect(await isThere()).toBe(false);
  },
);

it('leaves a command whose reader leaves early', async () => {
  const machine = asUser.root;
  for await (const chunk of machine.read(['yes', 'early-leaver'])) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  const isThere = async () =>
    (
      await machine.run(['pgrep', '-fx', 'yes early-leaver'], {
        accept: [0, 1],
      })
    ).code === 0;
  for (let attempt = 0; (await isThere()) && attempt < 100; attempt++) {
    await sleep(20);
  }
  expect(await isThere()).toBe(false);
});

describe('sudo', () => {
  it.each([
    ['a password', 'nobodyspecial', 'NOPASSWD'],
    ['a terminal', 'terminal', 'requiretty'],
  ])('that wants %s is told as such', async (_, user, remedy) => {
    const machine = asUser[user];
    expect((await machine.run(['true'], { root: false })).code).toBe(0);
    const error = await failure(machine.run(['cat', '/etc/shadow']));
    expect(error.code).toBe('sudo-refused');
    expect(error.remedy).toContain(remedy);
    expect(error.state).toContain('was not run');
    expect(
      (await failure(machine.read(['cat', '/etc/shadow']).toArray())).code,
    ).toBe('sudo-refused');
    expect(
      (await failure(machine.write(['cat'], chunks(Buffer.alloc(10))))).code,
    ).toBe('sudo-refused');
  });

  it('is not blamed for what a command says itself', async () => {
    const script = 'echo "cat: a password is required" >&2; exit 1';
    const error = await failure(asUser.operator.run(['sh', '-c', script]));
    expect(error.code).toBe('machine-command-failed');
  });
});

it('carries on over a change of session keys', async () => {
  const size = 20_000_000;
  const argv = ['head', '-c', String(size), '/dev/zero'];
  const wanted = await sha256(chunks(Buffer.alloc(size)));
  expect(await sha256(forbidding.read(argv))).toBe(wanted);
});

it('waits for a session when sshd allows no more of them', async () => {
  const results = await Promise.all(
    Array.from({ length: 7 }, (_, index) =>
      forbidding.run(['sh', '-c', `sleep 0.1; echo ${index}`]),
    ),
  );
  expect(results.map(result => result.stdout.trim())).toEqual(
    Array.from({ length: 7 }, (_, index) => String(index)),
  );
});

it('holds a command back while nobody reads what it prints', async () => {
  const machine = asUser.root;
  const mark = `${server.directory}/printed`;
  const script = 'head -c 60000000 /dev/zero; touch "$1"';
  const stream = machine.read(['sh', '-c', script, 'sh', mark]);
  await once(stream, 'readable');
  await sleep(1000);
  await machine.run(['test', '!', '-e', mark]);
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
  }
  expect(size).toBe(60_000_000);
  await machine.run(['test', '-e', mark]);
});

it('stops a command that was called off while its session was being opened', async () => {
  const machine = asUser.operator;
  const controller = new AbortController();
  const running = machine.run(['sleep', '815'], { signal: controller.signal });
  await Promise.resolve();
  controller.abort();
  await expect(running).rejects.toThrow();
  await sleep(500);
  const { code } = await machine.run(['pgrep', '-fx', 'sleep 815'], {
    accept: [0, 1],
  });
  expect(code).toBe(1);
});

describe.each(['forwarded by sshd', 'over exec'])('dialing, %s', way => {
  let machine: Machine;
  const servers: Server[] = [];
  beforeAll(() => {
    machine = way === 'over exec' ? forbidding : asUser.root;
  });
  afterEach(() => {
    servers.splice(0).forEach(each => each.close());
  });

  /** The tunnels end on this machine, where sshd runs. */
  async function listen(onConnection: (socket: Socket) => void) {
    const listener = createServer({ allowHalfOpen: true }, socket => {
      socket.on('error', () => undefined);
      onConnection(socket);
    }).listen(0, '127.0.0.1');
    servers.push(listener);
    await once(listener, 'listening');
    return (listener.address() as AddressInfo).port;
  }

  it('carries bytes both ways unchanged and ends when the other side does', async () => {
    const sent = randomBytes(3_000_001);
    const port = await listen(socket => {
      let size = 0;
      const hash = createHash('sha256');
      socket.on('data', chunk => {
        hash.update(chunk);
        size += chunk.length;
        if (size === sent.length) {
          socket.end(Buffer.concat([sent, hash.digest()]));
        }
      });
    });
    const tunnel = await machine.dial('127.0.0.1', port);
    tunnel.write(sent);
    const closed = once(tunnel, 'close');
    const received = Buffer.concat(await tunnel.toArray());
    expect(received.subarray(0, sent.length).equals(sent)).toBe(true);
    expect(received.subarray(sent.length)).toEqual(
      createHash('sha256').update(sent).digest(),
    );
    await closed;
  });

  it('passes our end on to the other side', async () => {
    let hear: (chunks: Buffer[]) => void;
    const heard = new Promise<Buffer[]>(resolve => {
      hear = resolve;
    });
    const port = await listen(socket => {
      socket.toArray().then(hear);
    });
    const tunnel = await machine.dial('127.0.0.1', port);
    tunnel.end('last words');
    expect(Buffer.concat(await heard).toString()).toBe('last words');
    tunnel.destroy();
  });

  it('takes the connection down when it is destroyed', async () => {
    let closed: (value: unknown) => void;
    const isClosed = new Promise(resolve => {
      closed = resolve;
    });
    const port = await listen(socket => {
      socket.resume();
      socket.on('end', () => socket.end());
      socket.on('close', closed);
    });
    const tunnel = await machine.dial('127.0.0.1', port);
    tunnel.write('hello');
    const start = performance.now();
    tunnel.destroy();
    await isClosed;
    expect(performance.now() - start).toBeLessThan(4_000);
  });

  it('fails a writer whose other side has gone', async () => {
    const port = await listen(socket => socket.destroy());
    const tunnel = await machine.dial('127.0.0.1', port);
    tunnel.resume();
    const closed = Promise.race([
      once(tunnel, 'close').then(
        () => 'closed',
        error => error.code,
      ),
      sleep(10_000, 'hung', { ref: false }),
    ]);
    tunnel.write(Buffer.alloc(65536));
    expect(['closed', 'dial-closed']).toContain(await closed);
    const late = await new Promise<Error | null | undefined>(resolve => {
      tunnel.on('error', () => undefined);
      tunnel.write('too late', resolve);
    });
    expect(late).toMatchObject({ message: expect.any(String) });
  });

  it('tells that nothing listens there', async () => {
    const port = await freePort();
    const error = await failure(machine.dial('127.0.0.1', port));
    expect(error.code).toBe('dial-refused');
    expect(error.message).toBe(
      `From cp1, 127.0.0.1:${port} cannot be reached: Connection refused.`,
    );
  });

  it('holds the other side back while nobody reads', async () => {
    let sent = 0;
    const port = await listen(socket => {
      const block = Buffer.alloc(65536);
      const pump = () => {
        while (sent < 200e6 && socket.write(block)) {
          sent += block.length;
        }
        if (sent >= 200e6) {
          socket.end();
        }
      };
      socket.on('drain', pump);
      pump();
    });
    const tunnel = await machine.dial('127.0.0.1', port);
    await sleep(1500);
    expect(sent).toBeLessThan(60e6);
    tunnel.destroy();
  });
});
