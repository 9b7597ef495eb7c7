import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EtcdPlan, MachinePlan } from '../kubeadm/plan';

const run = promisify(execFile);

/** How `etcdutl snapshot restore` is to read a seed. */
export interface Seed {
  file: string;
  /** A file of a data directory has no checksum at its end, a snapshot has. */
  hasChecksum: boolean;
}

/** @param path - A snapshot, or an etcd data directory that no etcd uses. */
export async function findSeed(path: string): Promise<Seed> {
  if ((await stat(path)).isDirectory()) {
    return { file: databaseIn(path), hasChecksum: false };
  }
  return { file: path, hasChecksum: true };
}

function databaseIn(dataDirectory: string): string {
  return join(dataDirectory, 'member', 'snap', 'db');
}

const GIB = 2 ** 30;

/** The quota that a cluster was given which has outgrown etcd's default. */
export function quotaFor(path: string): number | undefined {
  const file = statSync(path).isDirectory() ? databaseIn(path) : path;
  return statSync(file).size > 1.5 * GIB ? 8 * GIB : undefined;
}

/** A snapshot of an etcd that holds nothing, made once and kept. */
export async function emptySeed(
  programs: { etcd: string; etcdctl: string; etcdVersion: string },
  keptIn: string,
  scratch: string,
): Promise<Seed> {
  const kept = join(keptIn, `empty-etcd-${programs.etcdVersion}.db`);
  if (!existsSync(kept)) {
    const socket = `unix://localhost:2379`;
    await mkdir(scratch, { recursive: true });
    const etcd = spawn(
      programs.etcd,
      [
        ...['--name', 'empty', '--data-dir', join(scratch, 'data')],
        ...['--listen-client-urls', socket, '--advertise-client-urls', socket],
        ...['--listen-peer-urls', 'unix://localhost:2380'],
        ...['--initial-advertise-peer-urls', 'unix://localhost:2380'],
        ...['--initial-cluster', 'empty=unix://localhost:2380'],
      ],
      { cwd: scratch, stdio: 'ignore' },
    );
    const ended = once(etcd, 'exit');
    try {
      const snapshot = join(scratch, 'empty.db');
      for (let attempt = 1; ; attempt += 1) {
        try {
          await run(
            programs.etcdctl,
            ['--endpoints', socket, 'snapshot', 'save', snapshot],
            { cwd: scratch, timeout: 5000 },
          );
          break;
        } catch (error) {
          if (attempt === 5) throw error;
          await sleep(200);
        }
      }
      await mkdir(dirname(kept), { recursive: true });
      const mine = `${kept}.${process.pid}`;
      await run('cp', [snapshot, mine]);
      await rename(mine, kept);
    } finally {
      etcd.kill('SIGKILL');
      await ended;
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return { file: kept, hasChecksum: true };
}

/** The command that lays a seed down as one member of a new cluster. */
export function restoreCommand(
  etcdutl: string,
  seed: Seed,
  { peerPort }: EtcdPlan,
  node: MachinePlan,
  members: MachinePlan[],
  dataDirectory: string,
): string[] {
  const peerUrl = ({ address }: MachinePlan) =>
    `https://${address}:${peerPort}`;
  return [
    ...[etcdutl, 'snapshot', 'restore', seed.file],
    ...['--name', node.name, '--data-dir', dataDirectory],
    '--initial-cluster',
    members.map(member => `${member.name}=${peerUrl(member)}`).join(','),
    ...['--initial-cluster-token', 'etcd-cluster'],
    ...['--initial-advertise-peer-urls', peerUrl(node)],
    ...(seed.hasChecksum ? [] : ['--skip-hash-check']),
  ];
}
