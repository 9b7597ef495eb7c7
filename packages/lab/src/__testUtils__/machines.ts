import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExecResult, LabNode } from '../LabNode';

const scratch = mkdtempSync(join(tmpdir(), 'lab-ssh-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** OpenSSH's own client, with what the lab says about the machine. */
export function sshArguments(node: LabNode, key?: string): string[] {
  const access = node.access();
  const keyFile = join(scratch, `${access.address}-${access.port}.key`);
  const knownHosts = join(scratch, `${access.address}-${access.port}.hosts`);
  writeFileSync(keyFile, key ?? access.privateKey, { mode: 0o600 });
  writeFileSync(knownHosts, access.knownHosts);
  return [
    ...['-F', 'none', '-i', keyFile, '-p', String(access.port)],
    ...['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile=${knownHosts}`],
    `${access.user}@${access.address}`,
  ];
}

/** Runs a command in a machine over SSH. */
export function ssh(
  node: LabNode,
  command: string,
  key?: string,
): Promise<ExecResult> {
  return new Promise(resolve => {
    execFile(
      'ssh',
      [...sshArguments(node, key), command],
      { timeout: 20_000 },
      (error, stdout, stderr) =>
        resolve({
          code: error ? Number(error.code ?? 255) : 0,
          stdout,
          stderr,
        }),
    );
  });
}

/** Waits for what is to come about. */
export async function until(
  what: string,
  done: () => Promise<boolean>,
  withinMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`${what}: waited in vain`);
    await sleep(50);
  }
}

/** The containers of that name that run, by id. */
export async function running(node: LabNode, name: string): Promise<string[]> {
  const { stdout } = await node.exec([
    ...['crictl', 'ps', '-q', '--label'],
    `io.kubernetes.container.name=${name}`,
  ]);
  return stdout.split('\n').filter(Boolean);
}
