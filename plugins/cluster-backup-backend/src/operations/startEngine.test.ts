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

  it('compares objects in an engine, and tells why it cannot', async () => {
    const defects: string[] = [];
    const fileKey = Buffer.alloc(16, 'key');
    const { outcome } = startEngine(
      {
        type: 'objects',
        cluster: {
          name: 'shop',
          layout: 'gdc',
          resource: { name: 'shop', namespace: 'cluster-shop' },
          ssh: { hostKeys: { mode: 'strict' } },
          secrets: { sshKey: [], gcpKeys: [] },
          gcpTokenUrl: 'http://127.0.0.1:1/',
        },
        archive: {
          store: {
            id: 'none',
            type: 'filesystem',
            modulePath: require.resolve('../filesystemStore'),
            options: { path: __filename },
            folder: '/',
          },
          key: 'default/shop/abababab/x.tar.gz.age',
          sha256: 'a'.repeat(64),
          fileKey,
          trustedSigners: [],
          expireAfterDays: 365,
        },
      },
      { progress: () => {}, defect: stack => defects.push(stack) },
    );
    expect(await outcome).toMatchObject({
      type: 'failed',
      fault: { code: 'gdc-kubeconfig-missing' },
    });
    // The engine has it, nobody else.
    expect(fileKey).toEqual(Buffer.alloc(16));
    expect(defects).toEqual([]);
  });

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
