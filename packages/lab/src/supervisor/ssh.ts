import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who logs in: root, or `ops` who may become root through sudo without a password. */
export type Login = 'root' | 'sudo';

export interface SshKeys {
  /** OpenSSH text. */
  key: string;
  publicKey: string;
}

/** A new ed25519 key pair, written as `DIRECTORY/NAME` and `DIRECTORY/NAME.pub` too. */
export async function createSshKeys(
  directory: string,
  name: string,
): Promise<SshKeys> {
  await mkdir(directory, { recursive: true });
  const path = join(directory, name);
  await run('ssh-keygen', [
    '-q',
    '-t',
    'ed25519',
    '-N',
    '',
    '-C',
    name,
    '-f',
    path,
  ]);
  return {
    key: await readFile(path, 'utf8'),
    publicKey: await readFile(`${path}.pub`, 'utf8'),
  };
}

/** One configuration for connections from outside and for the daemon that serves port 22 inside. */
export function sshdConfig(login: Login): string {
  return [
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'AuthorizedKeysFile .ssh/authorized_keys',
    `PermitRootLogin ${login === 'root' ? 'prohibit-password' : 'no'}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'AllowTcpForwarding yes',
    'AcceptEnv LANG LC_*',
    'Subsystem sftp internal-sftp',
    'PidFile none',
    '',
  ].join('\n');
}
