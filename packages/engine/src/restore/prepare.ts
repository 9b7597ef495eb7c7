import { Readable } from 'node:stream';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { emptySnapshot, findRestoreTool, RestoreTool } from '../etcd';
import { ArchivedFiles, filesToPutBack, tarOf } from './ArchivedFiles';
import { fanOutTogether } from '../fanOut';
import { toldBytes } from '../progress';
import { change, claim } from './journal';
import { EtcdInstance } from '../layout';
import { replacedOn, VerifiedArchive, workspaceOf } from './plan';
import { Attempting, StepNode } from './Step';
import { onAll } from './perform';

// A snapshot of a few GiB takes etcdutl seconds; a machine under stress minutes.
const BUILD_WITHIN_MS = 30 * 60_000;

/** Scratch of this attempt: what an earlier attempt left running works in another folder. */
function scratchOf({ plan, attempt }: Attempting, etcd: EtcdInstance): string {
  return `${workspaceOf(plan, etcd)}/attempt-${attempt.fence}`;
}

// Removes every attempt's scratch. A command outlives the engine that started it: whatever still works in there is
// ended first, or it would fill what is being emptied. $workspace is given; this shell does not name any scratch in
// its arguments, or it would find itself.
const CLEAR_SCRATCH = `
tries=0
while [ "$tries" -lt 50 ]; do
  busy=$(grep -lsF -e "$workspace/attempt-" /proc/[0-9]*/cmdline || true)
  if [ -z "$busy" ]; then break; fi
  for file in $busy; do
    pid=\${file#/proc/}
    kill -9 "\${pid%/cmdline}" 2>/dev/null || true
  done
  tries=$((tries + 1))
  sleep 0.1
done
for image in "$workspace"/attempt-*/image; do
  if mountpoint -q "$image" 2>/dev/null; then
    ctr -n k8s.io images unmount --rm "$image" >/dev/null 2>&1 || umount "$image"
  fi
done
rm -rf "$workspace"/attempt-*
`;

/** Takes all machines and makes room on them. */
export async function claimMachines(
  attempting: Attempting,
  nodes: StepNode[],
): Promise<void> {
  await onAll(attempting, nodes, 'claim', node =>
    claim(node.machine, attempting.attempt, attempting.plan, attempting.signal),
  );
  await onAll(attempting, nodes, 'scratch', async node => {
    for (const etcd of replacedOn(attempting.plan, node.plan)) {
      await makeRoom(attempting, node, etcd);
    }
  });
}

async function makeRoom(
  { attempt, plan, signal }: Attempting,
  { machine }: StepNode,
  etcd: EtcdInstance,
) {
  await change(
    machine,
    attempt,
    'scratch',
    // Members of one attempt fit together; one that an earlier attempt made counts no longer.
    `workspace=$1 data=$2 owner=$3 mode=$4
rm -f "$here/verified.json"
sync "$here"
${CLEAR_SCRATCH}
rm -rf "$workspace/files"
if [ ! -e "$data" ]; then
  mkdir -p -m 755 "$(dirname "$data")"
  mkdir "$data"
  chown "$owner" "$data"
  chmod "$mode" "$data"
fi
mkdir -m 700 -p "$workspace" "$workspace/attempt-$fence"
chmod 700 "$workspace"`,
    [
      workspaceOf(plan, etcd),
      etcd.dataDir,
      `${etcd.uid}:${etcd.gid}`,
      etcd.mode.toString(8),
    ],
    { signal },
  );
}

/** Lays the files that are put back beside the member to be, each node's on it; the archive is not proven yet. */
export async function stageFiles(
  attempting: Attempting,
  nodes: StepNode[],
  archived: ArchivedFiles,
): Promise<void> {
  const lacking = nodes.filter(({ plan }) => plan.filesBack);
  if (!lacking.length) return;
  await onAll(attempting, lacking, 'stage-files', async ({ machine, plan }) => {
    const files = filesToPutBack(archived.of(plan.name), plan.filesBack!);
    await machine.write(
      [
        'sh',
        '-c',
        'umask 077; mkdir "$1" && exec tar --numeric-owner --same-owner -xpf - -C "$1"',
        'sh',
        `${scratchOf(attempting, plan.etcd)}/files`,
      ],
      tarOf(files),
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
  await fanOutTogether(
    ending(toldBytes(source, step, size, attempting.progress)),
    nodes.map(
      node => chunks =>
        node.machine.write(
          [
            'sh',
            '-c',
            'umask 077; exec cat > "$1"',
            'sh',
            `${scratchOf(attempting, node.plan.etcd)}/snapshot.db`,
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
  await onAll(attempting, nodes, 'build', async node => {
    const { machine, plan } = node;
    const scratch = scratchOf(attempting, plan.etcd);
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
      carried: attempting.cluster.access.restoreToolFile,
      withoutBump: attempting.plan.withoutBump,
      signal: attempting.signal,
    });
    for (const etcd of replacedOn(attempting.plan, plan)) {
      const isMain = etcd === plan.etcd;
      if (!isMain) await layEmptySnapshot(attempting, node, etcd);
      await buildMember(attempting, node, {
        etcd,
        tool,
        bump:
          isMain && !attempting.plan.withoutBump ? verified.bump : undefined,
        members: attempting.plan.nodes.flatMap(other =>
          isMain ? other.etcd : other.etcdEvents ?? [],
        ),
      });
    }
  });
  await onAll(attempting, nodes, 'place', async node => {
    const { attempt, plan, signal } = attempting;
    const places = replacedOn(plan, node.plan).map(etcd =>
      workspaceOf(plan, etcd),
    );
    await change(
      node.machine,
      attempt,
      'place',
      `for workspace; do
  scratch=$workspace/attempt-$fence
  if [ -e "$scratch/restored" ]; then
    rm -rf "$workspace/restored"
    mv "$scratch/restored" "$workspace/restored"
  fi
  if [ -e "$scratch/files" ]; then mv "$scratch/files" "$workspace/files"; fi
  ${CLEAR_SCRATCH}
  sync "$workspace"
done
printf %s "$input" | write "$here/verified.json"`,
      places,
      { input: `${JSON.stringify(verified)}\n`, signal },
    );
  });
}

/** What was sick is not copied; what its API server writes from now on begins with nothing. */
async function layEmptySnapshot(
  attempting: Attempting,
  { machine }: StepNode,
  etcd: EtcdInstance,
) {
  await machine.write(
    [
      'sh',
      '-c',
      'umask 077; exec cat > "$1"',
      'sh',
      `${scratchOf(attempting, etcd)}/snapshot.db`,
    ],
    Readable.from([emptySnapshot()]),
    { signal: attempting.signal },
  );
}

/** One node's member of a cluster, in the scratch of this attempt. */
async function buildMember(
  attempting: Attempting,
  { machine }: StepNode,
  made: {
    etcd: EtcdInstance;
    tool: RestoreTool;
    /** Added to its revision, where a client may know a later one. */
    bump?: number;
    members: EtcdInstance[];
  },
) {
  const { etcd, tool, bump, members } = made;
  const { attempt, plan, signal } = attempting;
  const scratch = scratchOf(attempting, etcd);
  await change(
    machine,
    attempt,
    'build',
    'exec 9>&-\nrm -rf "$1/restored"',
    [scratch],
    { signal },
  );
  await machine.run(
    [
      'sh',
      '-c',
      `set -eu
umask 077
scratch=$1 owner=$2
shift 2
idle=
if ionice -c 3 true 2>/dev/null; then idle="ionice -c 3"; fi
$idle nice -n 10 "$@" >&2
chown -R "$owner" "$scratch/restored"
chmod -R go= "$scratch/restored"
if command -v restorecon >/dev/null; then restorecon -R "$scratch/restored"; fi`,
      'sh',
      scratch,
      `${etcd.uid}:${etcd.gid}`,
      ...tool.argvPrefix,
      `${scratch}/snapshot.db`,
      '--name',
      etcd.name,
      '--initial-cluster',
      members.map(({ name, peerUrls }) => `${name}=${peerUrls[0]}`).join(','),
      '--initial-cluster-token',
      plan.token,
      '--initial-advertise-peer-urls',
      etcd.peerUrls[0],
      '--data-dir',
      `${scratch}/restored`,
      ...(bump === undefined
        ? []
        : ['--bump-revision', String(bump), '--mark-compacted']),
    ],
    { timeoutMs: BUILD_WITHIN_MS, signal },
  );
}

/** Removes everything that preparing left; never the data that a commit kept, but of Events that were sick. */
export async function sweepWorkspace(
  attempting: Attempting,
  { machine, plan: node }: StepNode,
  step: 'sweep' | 'finish',
): Promise<void> {
  const { attempt, plan } = attempting;
  const [main, ...events] = replacedOn(plan, node).map(etcd =>
    workspaceOf(plan, etcd),
  );
  for (const workspace of events) {
    await change(
      machine,
      attempt,
      step,
      `workspace=$1 step=$2
${CLEAR_SCRATCH}
if [ "$step" = finish ] || [ ! -e "$workspace/kept" ]; then rm -rf "$workspace"; fi`,
      [workspace, step],
    );
  }
  await change(
    machine,
    attempt,
    step,
    // That a member was ready is forgotten before it is gone.
    `workspace=$1
${CLEAR_SCRATCH}
if [ -e "$workspace/kept" ] || [ -e "$workspace/kept.none" ]; then
  rm -rf "$workspace/restored" "$workspace/files"
else
  rm -f "$here/verified.json"
  sync "$here"
  rm -rf "$workspace"
fi`,
    [main],
  );
}
