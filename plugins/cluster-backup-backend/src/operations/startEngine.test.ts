import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterAt, silentMachine } from '../__testUtils__/silentMachine';
import { Job } from './Job';
import { startEngine } from './startEngine';

describe('startEngine', () => {
  const sockets = new Set<Socket>();
  let silent: Server;
  let job: Job;

  beforeAll(async () => {
    silent = await silentMachine(sockets);
    const { port } = silent.address() as AddressInfo;
    job = { type: 'check', cluster: clusterAt(port) };
  });
  afterAll(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });

  const until = async (isSo: () => boolean) => {
    while (!isSo()) await sleep(20);
  };

  it('tells that an engine went without a word', async () => {
    const told = { progress: () => {}, defect: () => {} };
    const { outcome, kill } = startEngine(job, told);
    await kill();
    await expect(outcome).rejects.toThrow('ended with SIGKILL');
  });

  it('starts engines that go when the portal goes', async () => {
    const before = sockets.size;
    const portal = spawn(process.execPath, [
      ...[
        '--require',
        require.resolve('@backstage/cli/config/nodeTransform.cjs'),
      ],
      '--eval',
      `require('${__dirname}/startEngine.ts').startEngine(${JSON.stringify(
        job,
      )}, {})`,
    ]);
    await until(() => sockets.size > before);
    const children = `/proc/${portal.pid}/task/${portal.pid}/children`;
    const engine = Number(readFileSync(children, 'utf8'));
    expect(existsSync(`/proc/${engine}`)).toBe(true);

    portal.kill('SIGKILL');
    await once(portal, 'exit');
    await until(() => !existsSync(`/proc/${engine}`));
  });
});
