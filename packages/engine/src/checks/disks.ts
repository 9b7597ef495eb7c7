import { posix } from 'node:path';
import { ControlPlaneNode } from '../layout';
import { Check, CheckSubject, Finding, ofEach } from './Check';

/** etcd allocates write-ahead logs of 64 MiB ahead of time, two at the start. */
const LOGS = 128 << 20;

/** A restore keeps the old data and holds the snapshot and the member made from it beside it for a while. */
export const disks: Check = {
  id: 'disks',
  title: 'The disks have room and can be written to',
  run(subject) {
    if (subject.purpose === 'backup') return Promise.resolve([]);
    return ofEach(
      subject.nodes.map(node => ({ name: node.machine.name, node })),
      () => 'refusal',
      this.id,
      async ({ node }) => [
        ...(await room(subject, node)),
        ...(await writable(subject, node)),
      ],
    );
  },
};

async function room(
  { purpose, snapshot, signal }: CheckSubject,
  { machine, etcd }: ControlPlaneNode,
): Promise<Finding[]> {
  const { stdout } = await machine.run(
    [
      'sh',
      '-c',
      'there=$1; while [ ! -e "$there" ]; do there=$(dirname "$there"); done; df -B1 --output=avail,target "$there" | tail -n 1; stat -c %s "$1/member/snap/db" 2>/dev/null || echo 0',
      'sh',
      etcd.dataDir,
    ],
    { signal },
  );
  const [available, target, present] = stdout.trim().split(/\s+/);
  // The next backup, which may be the one that is restored, is of what is there now.
  const atLeast = purpose === 'look' || !snapshot ? Number(present) : 0;
  const needed = 2 * Math.max(snapshot?.size ?? 0, atLeast) + LOGS;
  if (Number(available) >= needed) return [];
  const mib = (bytes: number) => `${Math.ceil(bytes / (1 << 20))} MiB`;
  return [
    {
      check: disks.id,
      level: 'refusal',
      code: 'disk-too-small',
      machine: machine.name,
      message: `${target} on ${machine.name} has ${mib(
        Number(available),
      )} left; the restore needs ${mib(needed)} under ${etcd.dataDir}.`,
      remedy: `Make room on ${target} of ${machine.name}; data kept by an earlier restore lies in ${etcd.dataDir}/.cluster-backup-*.`,
    },
  ];
}

/** Everything that a restore will write to or rename in, tried as root: a full or read-only file system shows here. */
async function writable(
  { purpose, signal }: CheckSubject,
  node: ControlPlaneNode,
): Promise<Finding[]> {
  const { machine, etcd, manifestsDir, filesBack } = node;
  const { stdout } = await machine.run(
    [
      'sh',
      '-c',
      `for directory; do
  while [ ! -e "$directory" ]; do directory=$(dirname "$directory"); done
  probe=$directory/.cluster-backup-probe
  # A byte, for which there has to be room; the shell's own words on it go with a shell of its own.
  if ! (printf . > "$probe" && rm -f "$probe") 2>/dev/null; then
    rm -f "$probe" 2>/dev/null
    printf '%s\\t%s\\n' "$directory" "$(stat -c '%U:%G %a' "$directory")"
  fi
done`,
      'sh',
      etcd.dataDir,
      manifestsDir,
      `${manifestsDir}/..`,
      '/var/lib',
      ...(purpose === 'look' ? writtenWithFiles(node) : []),
      ...(filesBack?.directories ?? []),
    ],
    { signal },
  );
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => {
      const [directory, owner] = line.split('\t');
      return {
        check: disks.id,
        level: 'refusal' as const,
        code: 'directory-not-writable',
        machine: machine.name,
        message: `${directory} on ${machine.name} (${owner}) cannot be written to, not even by root.`,
        remedy: `Look for a read-only mount (findmnt -T ${directory}), an immutable flag (lsattr -d ${directory}) or a full disk (df -h ${directory}; df -i ${directory}) on ${machine.name}.`,
      };
    });
}

/** What a restore with files writes to besides; which these are, an archive tells when it is restored. */
function writtenWithFiles({ etcd, apiServer }: ControlPlaneNode): string[] {
  const { ca, serverCert, peerCert } = etcd.certificate;
  const files = [ca, serverCert, peerCert, apiServer.clientCa];
  const directories = [...files, apiServer.certificate?.cert]
    .filter(file => file !== undefined)
    .map(file => posix.dirname(file));
  return [
    ...new Set([
      ...[posix.dirname(etcd.dataDir), '/etc/kubernetes', '/var/lib/kubelet'],
      ...['/var/lib/kubelet/pki', ...directories],
    ]),
  ];
}
