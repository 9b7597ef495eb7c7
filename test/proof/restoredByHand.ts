import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Asked } from './contents';

const run = promisify(execFile);

/** Restores a snapshot with etcdutl as a person would, into a folder, and starts an etcd on it for as long as it is asked. */
export async function restoredByHand<T>(
  snapshot: string,
  folder: string,
  ask: (member: Asked) => Promise<T>,
): Promise<T> {
  // Relative to the working directory.
  const peer = 'unix://peer:0';
  const client = 'unix://client:0';
  const flags = [
    ...['--name', 'hand', '--initial-cluster', `hand=${peer}`],
    ...['--initial-advertise-peer-urls', peer, '--data-dir', 'by-hand'],
  ];
  const there = { cwd: folder, maxBuffer: 64 << 20 };
  await run('etcdutl', ['snapshot', 'restore', snapshot, ...flags], there);
  const etcd = spawn(
    'etcd',
    [
      ...flags,
      ...['--listen-peer-urls', peer, '--listen-client-urls', client],
      ...['--advertise-client-urls', client],
    ],
    { cwd: folder, stdio: 'ignore' },
  );
  try {
    return await ask({
      etcdctl: args =>
        run(
          'etcdctl',
          ['--endpoints', client, '--dial-timeout=20s', ...args],
          there,
        ),
    });
  } finally {
    const ended = once(etcd, 'exit');
    etcd.kill('SIGKILL');
    await ended;
  }
}
