import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectEtcd, Etcd } from '../apiserver/etcd';

/** A single etcd of our own that keeps nothing safe and answers on a socket file. */
export interface ThrowawayEtcd {
  etcd: Etcd;
  /** as etcdctl wants it */
  endpoint: string;
  stop(): Promise<void>;
}

const startTimeoutMs = 15_000;

/** Starts `etcd` from PATH with its data in that directory. */
export async function startThrowawayEtcd(
  dataDirectory: string,
): Promise<ThrowawayEtcd> {
  // not beside the data: the path of a socket may have 107 characters only
  const run = await mkdtemp(join(tmpdir(), 'etcd-'));
  const child = spawn(
    'etcd',
    [
      `--data-dir=${dataDirectory}`,
      // relative to the working directory; etcd insists on something like a port
      '--listen-client-urls=unix://client:0',
      '--advertise-client-urls=unix://client:0',
      '--listen-peer-urls=unix://peer:0',
      '--initial-advertise-peer-urls=unix://peer:0',
      '--initial-cluster=default=unix://peer:0',
      '--unsafe-no-fsync',
      '--max-txn-ops=100000',
      `--max-request-bytes=${64 << 20}`,
      `--quota-backend-bytes=${8 * 2 ** 30}`,
      // few large transactions: do not keep thousands of them in memory
      '--snapshot-count=64',
      '--experimental-snapshot-catchup-entries=8',
      '--max-snapshots=1',
      '--max-wals=1',
      '--experimental-compaction-batch-limit=100000',
      '--log-level=error',
    ],
    { cwd: run, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', chunk => {
    log = (log + chunk).slice(-4_000);
  });
  const ended = once(child, 'exit').catch(error => {
    log += error.message;
  });
  const etcd = connectEtcd({ endpoint: `unix:${join(run, 'client:0')}` });

  async function stop() {
    etcd.close();
    child.kill('SIGKILL');
    await ended;
    await rm(run, { recursive: true, force: true });
  }

  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    try {
      await etcd.status();
      return { etcd, endpoint: `unix://${join(run, 'client:0')}`, stop };
    } catch (error) {
      if (child.exitCode !== null || Date.now() > deadline) {
        await stop();
        throw new Error(`etcd did not start: ${log}`, { cause: error });
      }
    }
    await sleep(50);
  }
}
