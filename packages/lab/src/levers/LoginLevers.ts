import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabNode } from '../LabNode';
import { Call } from '../protocol';
import { createSshKeys, SshKeys } from '../supervisor/ssh';

const SUDOERS = '/etc/sudoers.d/ops';
const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key';
const SSHD_CONFIG = '/etc/ssh/sshd_config';

/** Changes who gets into a machine, and how. @public */
export class LoginLevers {
  constructor(
    private readonly node: LabNode,
    private readonly home: string,
    private readonly call: Call,
  ) {}

  /** No sshd any more: connections end, new ones are refused. */
  async stopSsh(): Promise<void> {
    await this.call('closePort', { machine: this.node.name });
    await this.node.ask('stopUnit', { name: 'ssh' });
  }

  async startSsh(): Promise<void> {
    await this.node.ask('startUnit', { name: 'ssh' });
    await this.call('openPort', { machine: this.node.name });
  }

  /** Lets in a new key and no longer the lab's. Returns the new private key as OpenSSH text. */
  async rotateClientKey(): Promise<string> {
    const keys = await newKeys('lab-rotated');
    await this.node.writeFile(
      `${this.home}/.ssh/authorized_keys`,
      keys.publicKey,
    );
    return keys.key;
  }

  /** Gives the machine a new host key. Returns its `ssh-ed25519 AAAA...`. */
  async rotateHostKey(): Promise<string> {
    const keys = await newKeys(this.node.name);
    await this.node.writeFile(HOST_KEY, keys.key);
    await this.node.writeFile(`${HOST_KEY}.pub`, keys.publicKey);
    await this.reloadSsh();
    return keys.publicKey.split(' ').slice(0, 2).join(' ');
  }

  /** sshd refuses tunnels from now on. */
  async forbidForwarding(): Promise<void> {
    await this.setOption('AllowTcpForwarding', 'no');
  }

  async allowForwarding(): Promise<void> {
    await this.setOption('AllowTcpForwarding', 'yes');
  }

  /** `sudo -n` fails as it does for someone who would have to give a password. */
  async forbidSudo(): Promise<void> {
    await this.node.exec(['mv', SUDOERS, '/run/lab/sudoers']);
  }

  async allowSudo(): Promise<void> {
    await this.node.exec(['mv', '/run/lab/sudoers', SUDOERS]);
  }

  private async setOption(name: string, value: string): Promise<void> {
    const config = await this.node.readFile(SSHD_CONFIG);
    await this.node.writeFile(
      SSHD_CONFIG,
      config.replace(new RegExp(`^${name} .*$`, 'm'), `${name} ${value}`),
    );
    await this.reloadSsh();
  }

  /** The daemon reads its files once, the sshd of a connection from outside each time. */
  private async reloadSsh(): Promise<void> {
    const unit = await this.node.ask('unit', { name: 'ssh' });
    if (unit?.mainPid) {
      await this.node.exec(['kill', '-HUP', String(unit.mainPid)]);
    }
  }
}

async function newKeys(name: string): Promise<SshKeys> {
  const directory = await mkdtemp(join(tmpdir(), 'ssh-keys-'));
  try {
    return await createSshKeys(directory, name);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
