import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { findRestoreTool } from '../etcd';
import { toldBytes } from '../progress';
import { change, claim, note } from './journal';
import { fanOut } from './fanOut';
import { NodePlan, VerifiedArchive, workspaceOf } from './plan';
import { Attempting, StepNode } from './Step';
import { onAll } from './perform';

// A snapshot of a few GiB takes etcdutl seconds; a machine under stress minutes.
const BUILD_WITHIN_MS = 30 * 60_000;

/** Scratch of this attempt: an `etcdutl` that an earlier attempt left running works in another folder. */
function scratchOf({ plan, attempt }: Attempting, node: NodePlan): string {
  return `${workspaceOf(plan, node)}/attempt-${attempt.fence}`;
}

/** Takes all machines and makes room on them. */
export async function claimMachines(
  attempting: Attempting,
  nodes: StepNode[],
): Promise<void> {
  await onAll(attempting, nodes, 'claim', node =>
    claim(node.machine, attempting.attempt, attempting.plan, attempting.signal),
  );
  await onAll(attempting, nodes, 'scratch', async node => {
    await change(
      node.machine,
      attempting.attempt,
      'scratch',
      `rm -rf "$2"
mkdir -m 700 -p "$1" "$2"
chmod 700 "$1"`,
      [
        workspaceOf(attempting.plan, node.plan),
        scratchOf(attempting, node.plan),
      ],
      { signal: attempting.signal },
    );
  });
}

/**
 * Streams the snapshot to every node at once.
 *
 * @returns the sha256 that the snapshot carries in its last 32 bytes, hex
 */
export async function receiveSnapshot(
  attempting: Attempting,
  nodes: StepNode[],
  size: number,
  source: AsyncIterable<Uint8Array>,
): Promise<string> {
  const step = 'receive';
  attempting.progress({
    type: 'step',
    step,
    title: 'Send the snapshot to every control-plane node',
    status: 'started',
  });
  let trailer = Buffer.alloc(0);
  async function* ending(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      trailer = Buffer.concat([trailer, chunk.subarray(-32)]).subarray(-32);
      yield chunk;
    }
  }
  nodes.forEach(node => attempting.boundary?.(step, node.plan.name, 'before'));
  await fanOut(
    ending(toldBytes(source, step, size, attempting.progress)),
    nodes.map(
      node => chunks =>
        node.machine.write(
          [
            'sh',
            '-c',
            'umask 077; exec cat > "$1"',
            'sh',
            `${scratchOf(attempting, node.plan)}/snapshot.db`,
          ],
          chunks,
          { signal: attempting.signal },
        ),
    ),
  );
  for (const node of nodes) {
    attempting.boundary?.(step, node.plan.name, 'between');
    attempting.boundary?.(step, node.plan.name, 'after');
  }
  attempting.progress({ type: 'step', step, title: '', status: 'done' });
  return trailer.toString('hex');
}

/**
 * Makes each node's member out of the snapshot, beside the living one, and leaves it ready to be renamed into place.
 *
 * `etcdutl` proves the whole file against its last 32 bytes; comparing these with what was sent binds the file on
 * the node to the archive without reading it a second time.
 */
export async function buildMembers(
  attempting: Attempting,
  nodes: StepNode[],
  verified: VerifiedArchive,
  trailer: string,
): Promise<void> {
  const initialCluster = attempting.plan.nodes
    .map(({ etcd }) => `${etcd.name}=${etcd.peerUrls[0]}`)
    .join(',');
  await onAll(attempting, nodes, 'build', async node => {
    const { machine, plan } = node;
    const scratch = scratchOf(attempting, plan);
    const received = await machine.run(
      [
        'sh',
        '-c',
        'tail -c 32 "$1" | od -An -v -tx1 | tr -d " \\n"',
        'sh',
        `${scratch}/snapshot.db`,
      ],
      { signal: attempting.signal },
    );
    if (received.stdout !== trailer) {
      throw new ClusterBackupError({
        code: 'snapshot-altered-on-node',
        message: `The snapshot did not arrive on ${machine.name} as it was sent.`,
        state: NOTHING_CHANGED,
        remedy: `Look at the disk under ${plan.etcd.dataDir} on ${machine.name}, then start the restore again.`,
        details: { machine: machine.name },
      });
    }
    const tool = await findRestoreTool(node, {
      version: attempting.plan.archive.etcdVersion,
      scratch,
      signal: attempting.signal,
    });
    await change(
      machine,
      attempting.attempt,
      'build',
      'exec 9>&-\nrm -rf "$1/restored"',
      [scratch],
      { signal: attempting.signal },
    );
    await machine.run(
      [
        'sh',
        '-c',
        // The pid is kept for the undo: sshd does not end a command whose channel is gone.
        `set -eu
umask 077
scratch=$1 owner=$2
shift 2
echo $$ > "$scratch/pid"
idle=
if ionice -c 3 true 2>/dev/null; then idle="ionice -c 3"; fi
$idle nice -n 10 "$@" >&2
chown -R "$owner" "$scratch/restored"
chmod -R go= "$scratch/restored"
if command -v restorecon >/dev/null; then restorecon -R "$scratch/restored"; fi
rm -f "$scratch/pid"`,
        'sh',
        scratch,
        `${plan.etcd.uid}:${plan.etcd.gid}`,
        ...tool.argvPrefix,
        `${scratch}/snapshot.db`,
        '--name',
        plan.etcd.name,
        '--initial-cluster',
        initialCluster,
        '--initial-cluster-token',
        attempting.plan.token,
        '--initial-advertise-peer-urls',
        plan.etcd.peerUrls[0],
        '--data-dir',
        `${scratch}/restored`,
        '--bump-revision',
        String(verified.bump),
        '--mark-compacted',
      ],
      { timeoutMs: BUILD_WITHIN_MS, signal: attempting.signal },
    );
  });
  await onAll(attempting, nodes, 'place', async node => {
    const workspace = workspaceOf(attempting.plan, node.plan);
    await change(
      node.machine,
      attempting.attempt,
      'place',
      `workspace=$1 scratch=$2
if [ -e "$scratch/restored" ]; then
  rm -rf "$workspace/restored"
  mv "$scratch/restored" "$workspace/restored"
fi
rm -rf "$workspace"/attempt-*
sync "$workspace"
write "$here/verified.json"`,
      [workspace, scratchOf(attempting, node.plan)],
      {
        input: `${JSON.stringify(verified)}\n`,
        signal: attempting.signal,
      },
    );
  });
}

/** Removes everything that preparing left; never the data that a commit kept. */
export async function sweepWorkspace(
  attempting: Attempting,
  node: StepNode,
): Promise<void> {
  await change(
    node.machine,
    attempting.attempt,
    'sweep',
    `workspace=$1
for file in "$workspace"/attempt-*/pid; do
  [ -e "$file" ] || continue
  pid=$(cat "$file")
  if grep -qsF "$workspace" "/proc/$pid/cmdline"; then kill -9 "$pid" || true; fi
done
if [ -e "$workspace/kept" ] || [ -e "$workspace/kept.none" ]; then
  rm -rf "$workspace/restored" "$workspace"/attempt-*
else
  rm -rf "$workspace"
fi`,
    [workspaceOf(attempting.plan, node.plan)],
  );
  await note(node.machine, attempting.attempt, 'sweep', 'done');
}
