import { ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MachineAccess } from '../Machine';

export const USERS = {
  /** May do everything through sudo. */
  operator: 3001,
  /** Is in no sudoers file. */
  nobodyspecial: 3002,
  /** May use sudo from a terminal only. */
  terminal: 3003,
  /** Its .bashrc prints a line. */
  chatty: 3004,
  /** Its login shell is nologin. */
  outsider: 3005,
};

export interface SshServer {
  port: number;
  directory: string;
  /** Private key of every user, OpenSSH format. */
  privateKey: string;
  /** known_hosts text for `127.0.0.1` at this port. */
  knownHosts: string;
  hostKeyFile(type: string): string;
  /** How `root` gets in, with whatever is to be different. */
  access(overrides?: Partial<MachineAccess>): MachineAccess;
  close(): Promise<void>;
}

/**
 * OpenSSH's own sshd on a free loopback port, in mount and process namespaces of its own: its /etc is a copy on
 * write of this machine's with the users above added, and nothing outlives it. Needs root.
 */
export async function startSshServer(
  options: { config?: string[]; hostKeys?: string[] } = {},
): Promise<SshServer> {
  const { config = [], hostKeys = ['ed25519'] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'machine-test-'));
  const keygen = (name: string, type: string) =>
    execFileSync('ssh-keygen', [
      ...['-q', '-t', type, '-N', '', '-C', name],
      ...['-f', join(directory, name)],
    ]);
  keygen('id', 'ed25519');
  hostKeys.forEach(type => keygen(`host_${type}`, type));
  const hostKeyFile = (type: string) => join(directory, `host_${type}`);
  const publicKey = (name: string) =>
    readFileSync(join(directory, `${name}.pub`), 'utf8');
  const port = await freePort();

  mkdirSync(join(directory, 'etc/sudoers.d'), { recursive: true });
  mkdirSync(join(directory, 'home'));
  const shells: Record<string, string> = { outsider: '/usr/sbin/nologin' };
  const account = (name: string, uid: number) =>
    `${name}:x:${uid}:${uid}::/run/home/${name}:${shells[name] ?? '/bin/bash'}`;
  const accounts = Object.entries(USERS);
  const add = (file: string, lines: string[]) =>
    writeFileSync(
      join(directory, 'etc', file),
      // Not root's own home: its start files have no part in the tests.
      `${readFileSync(`/etc/${file}`, 'utf8').replace(
        /^(root:.*):[^:\n]*:[^:\n]*$/m,
        file === 'passwd' ? '$1:/run/home/root:/bin/bash' : '$&',
      )}${lines.join('\n')}\n`,
      { mode: file === 'shadow' ? 0o640 : 0o644 },
    );
  add(
    'passwd',
    accounts.map(([name, uid]) => account(name, uid)),
  );
  add(
    'group',
    accounts.map(([name, uid]) => `${name}:x:${uid}:`),
  );
  add(
    'shadow',
    accounts.map(([name]) => `${name}:*:19000:0:99999:7:::`),
  );
  writeFileSync(
    join(directory, 'etc/sudoers.d/machine-test'),
    [
      'operator ALL=(ALL) NOPASSWD: ALL',
      // The default of newer distributions.
      'Defaults:operator use_pty',
      'terminal ALL=(ALL) NOPASSWD: ALL',
      'Defaults:terminal requiretty',
      '',
    ].join('\n'),
    { mode: 0o440 },
  );
  writeFileSync(join(directory, 'authorized_keys'), publicKey('id'));
  writeFileSync(
    join(directory, 'sshd_config'),
    [
      ...config,
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...hostKeys.map(type => `HostKey ${hostKeyFile(type)}`),
      'AuthorizedKeysFile /run/authorized_keys',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PidFile none',
      'PermitRootLogin prohibit-password',
      'UseDNS no',
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(directory, 'start'),
    `set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/etc /run/work /run/home/root
cp ${directory}/authorized_keys /run/
chmod 644 /run/authorized_keys
cp -p -r ${directory}/etc/. /run/etc/
mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/work /etc
${accounts
  .map(
    ([name, uid]) =>
      `mkdir /run/home/${name} && chown ${uid}:${uid} /run/home/${name}`,
  )
  .join('\n')}
echo 'echo welcome to this machine' > /run/home/chatty/.bashrc
/usr/sbin/sshd -D -e -f ${directory}/sshd_config &
# Until the test lets go, or is gone: this shell is the first process of its namespace, and all end with it.
cat
rm -rf ${directory}
`,
  );

  const log: Buffer[] = [];
  const server = spawn(
    'unshare',
    [
      ...['--mount', '--pid', '--fork', '--kill-child=SIGKILL'],
      ...['--mount-proc', '--propagation', 'private'],
      ...['sh', join(directory, 'start')],
    ],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  server.stderr.on('data', chunk => log.push(chunk));
  server.stdout.on('data', chunk => log.push(chunk));
  await waitForListener(server, log);

  const privateKey = readFileSync(join(directory, 'id'), 'utf8');
  const knownHosts = hostKeys
    .map(type => `[127.0.0.1]:${port} ${publicKey(`host_${type}`)}`)
    .join('');
  return {
    port,
    directory,
    privateKey,
    knownHosts,
    hostKeyFile,
    access: overrides => ({
      name: 'cp1',
      address: '127.0.0.1',
      port,
      user: 'root',
      privateKey,
      hostKeys: { mode: 'strict', knownHosts },
      ...overrides,
    }),
    close: async () => {
      if (server.exitCode === null && server.signalCode === null) {
        server.stdin.end();
        await once(server, 'exit');
      }
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitForListener(server: ChildProcess, log: Buffer[]) {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const text = Buffer.concat(log).toString();
    if (text.includes('Server listening on')) {
      return;
    }
    if (server.exitCode !== null) {
      throw new Error(`sshd did not start: ${text}`);
    }
    await sleep(25);
  }
  throw new Error(`sshd did not start: ${Buffer.concat(log)}`);
}
