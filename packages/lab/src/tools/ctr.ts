import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { AGENT_SOCKET, askAgent } from '../node/protocol';
import { imageDigest, imageName } from '../node/runtime';
import { columns, FlagTable, parseFlags } from './flags';
import { ToolFailure } from './ToolFailure';

const globalFlags: FlagTable = {
  '-n': { name: 'namespace', value: true },
  '--namespace': { name: 'namespace', value: true },
  '-a': { name: 'address', value: true },
  '--address': { name: 'address', value: true },
  '--timeout': { name: 'timeout', value: true },
};

const listFlags: FlagTable = {
  '-q': { name: 'quiet', value: false },
  '--quiet': { name: 'quiet', value: false },
};

const mountFlags: FlagTable = {
  '--rm': { name: 'rm', value: false },
  '--rw': { name: 'rw', value: false },
  '--snapshotter': { name: 'snapshotter', value: true },
  '--platform': { name: 'platform', value: true },
};

/** containerd's `ctr`: `images list`, `mount` and `unmount` in the namespace that Kubernetes uses. */
export async function ctr(argv: string[]): Promise<number> {
  const { flags, words } = parseFlags('ctr', argv, globalFlags, true);
  const [group, command, ...rest] = words;
  if (!['images', 'image', 'i'].includes(group)) {
    throw new ToolFailure(`No help topic for '${group ?? ''}'`, 3);
  }
  if (process.getuid?.() !== 0) {
    throw new ToolFailure(
      'ctr: failed to dial "/run/containerd/containerd.sock": connection error: desc = "transport: error while dialing: dial unix /run/containerd/containerd.sock: connect: permission denied"',
    );
  }
  const known =
    flags.namespace?.[0] === 'k8s.io'
      ? await askAgent(AGENT_SOCKET, 'images')
      : [];
  switch (command) {
    case 'ls':
    case 'list':
      return list(known, rest);
    case 'mount':
      return mount(known, rest);
    case 'unmount':
      return unmount(rest);
    default:
      throw new ToolFailure(`No help topic for '${command ?? ''}'`, 3);
  }
}

function list(known: string[], argv: string[]): number {
  const { flags } = parseFlags('ctr', argv, listFlags);
  process.stdout.write(
    flags.quiet
      ? known.map(name => `${name}\n`).join('')
      : columns(
          [
            ['REF', 'TYPE', 'DIGEST', 'SIZE', 'PLATFORMS', 'LABELS'],
            ...known.map(name => [
              name,
              'application/vnd.docker.distribution.manifest.list.v2+json',
              imageDigest(name),
              '0 B',
              'linux/amd64',
              'io.cri-containerd.image=managed',
            ]),
          ],
          1,
        ),
  );
  return 0;
}

function mount(known: string[], argv: string[]): number {
  const { words } = parseFlags('ctr', argv, mountFlags);
  const [reference, target] = words;
  if (!reference)
    throw new ToolFailure('ctr: please provide an image reference to mount');
  if (!target)
    throw new ToolFailure('ctr: please provide a target path to mount to');
  if (!known.includes(reference)) {
    throw new ToolFailure(`ctr: image "${reference}": not found`);
  }
  if (!existsSync(target)) {
    throw new ToolFailure(
      `ctr: failed to mount /dev/containerd: no such file or directory`,
    );
  }
  const source = `/run/lab/images/${imageName(reference)}`;
  execFileSync('mount', ['--bind', '-o', 'ro', source, target]);
  process.stdout.write(`${target}\n`);
  return 0;
}

function unmount(argv: string[]): number {
  const { words } = parseFlags('ctr', argv, mountFlags);
  const [target] = words;
  if (!target)
    throw new ToolFailure('ctr: please provide a target path to unmount from');
  // A path that nothing is mounted on is no error to ctr.
  try {
    execFileSync('umount', [target], { stdio: 'ignore' });
  } catch {
    if (!existsSync(target)) {
      throw new ToolFailure(`ctr: no such file or directory`);
    }
  }
  process.stdout.write(`${target}\n`);
  return 0;
}
