import { constants, createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { posix } from 'node:path';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { ControlPlaneNode } from '../layout/ControlPlaneNode';

/** A program on a machine that makes a data directory of a snapshot. @public */
export interface RestoreTool {
  /** To be followed by the flags and the snapshot's path: `[..., 'snapshot', 'restore']`. */
  argvPrefix: string[];
  /** `3.5.16`. */
  version: string;
  source: 'path' | 'image' | 'etcdctl' | 'carried';
  /** Whether it can raise revisions. */
  bumps: boolean;
}

const MINUTE = 60_000;

// Prints the version, and `bump` when it can raise revisions; the tools differ in what they print where.
const PROBE = `command -v "$1" >/dev/null 2>&1 || exit 3
export ETCDCTL_API=3
"$1" version 2>&1 | sed -n 's/^etcd[a-z]* version: *//p' | head -n 1
help=$("$1" snapshot restore --help 2>&1)
case $help in *--bump-revision*--mark-compacted*|*--mark-compacted*--bump-revision*) echo bump ;; esac
exit 0`;

// The image's files are looked at, none of its programs is started, and nothing of it stays but the one file.
const FROM_IMAGE = `set -e
image=$1; scratch=$2
mount=$scratch/image
ctr -n k8s.io images ls -q | grep -qxF -- "$image" || { echo "no image $image" >&2; exit 3; }
mkdir -p -- "$mount"
trap 'ctr -n k8s.io images unmount --rm "$mount" >/dev/null 2>&1 || ctr -n k8s.io images unmount "$mount" >/dev/null 2>&1 || umount "$mount" 2>/dev/null; rmdir -- "$mount" 2>/dev/null; :' EXIT
ctr -n k8s.io images mount "$image" "$mount" >/dev/null
for name in etcdutl etcdctl; do
  for folder in usr/local/bin usr/bin bin; do
    if [ -f "$mount/$folder/$name" ]; then
      cp -- "$mount/$folder/$name" "$scratch/$name"
      chmod 0700 -- "$scratch/$name"
      echo "$scratch/$name"
      exit 0
    fi
  done
done`;

const minor = (version: string) => version.split('.').slice(0, 2).join('.');

/**
 * Finds a program on a node that restores a snapshot and raises its revision: `etcdutl` on the PATH, else out of the
 * etcd image that the node runs, else `etcdctl`, else one that is brought there. The minor version must be the one that is needed: the tools do not
 * check it themselves.
 *
 * @param scratch - an existing folder on the machine that only root enters; what is left behind is in it
 * @throws ClusterBackupError `etcd-tool-missing`, which names what was tried, `etcd-tool-cannot-bump` where the only
 * ones that are there cannot raise revisions, and those of the machine
 * @public
 */
export async function findRestoreTool(
  node: ControlPlaneNode,
  options: {
    /** The etcd version that wrote the snapshot. */
    version: string;
    scratch: string;
    /** An etcdutl on this machine, to be brought there where nothing else serves. */
    carried?: string;
    /** One that cannot raise revisions serves where there is no other. */
    withoutBump?: boolean;
    signal: AbortSignal;
  },
): Promise<RestoreTool> {
  const { machine, etcd } = node;
  const { version: needed, scratch, carried, signal } = options;
  const tried: string[] = [];
  let unable: RestoreTool | undefined;

  async function probe(
    program: string,
    source: RestoreTool['source'],
    label: string,
  ): Promise<RestoreTool | undefined> {
    const { code, stdout } = await machine.run(
      ['sh', '-c', PROBE, 'sh', program],
      { accept: [0, 3], timeoutMs: MINUTE, signal },
    );
    const [version, bump] = stdout.trim().split('\n');
    if (code === 3 || !version) {
      tried.push(`${label}: not there`);
    } else if (minor(version) !== minor(needed)) {
      tried.push(`${label}: version ${version}, needed is ${minor(needed)}`);
    } else {
      const tool = {
        argvPrefix: [
          ...(posix.basename(program) === 'etcdctl'
            ? ['env', 'ETCDCTL_API=3']
            : []),
          program,
          'snapshot',
          'restore',
        ],
        version,
        source,
        bumps: bump === 'bump',
      };
      if (tool.bumps) return tool;
      tried.push(`${label}: version ${version} cannot raise revisions`);
      unable ??= tool;
    }
    return undefined;
  }

  const onPath = await probe('etcdutl', 'path', 'etcdutl on the PATH');
  if (onPath) {
    return onPath;
  }
  const copied = await machine.run(
    ['sh', '-c', FROM_IMAGE, 'sh', etcd.image, scratch],
    {
      accept: Array.from({ length: 256 }, (_, code) => code),
      timeoutMs: 2 * MINUTE,
      signal,
    },
  );
  const program = copied.stdout.trim();
  if (!program) {
    tried.push(
      `image ${etcd.image}: ${
        copied.stderr.trim().split('\n').at(-1) || 'no etcdutl in it'
      }`,
    );
  } else {
    const tool = await probe(
      program,
      'image',
      `${posix.basename(program)} of image ${etcd.image}`,
    );
    if (tool) {
      return tool;
    }
  }
  const etcdctl = await probe('etcdctl', 'etcdctl', 'etcdctl on the PATH');
  if (etcdctl) {
    return etcdctl;
  }
  if (carried && !(await isReadable(carried))) {
    tried.push(`${carried}: cannot be read here`);
  } else if (carried) {
    const brought = `${scratch}/carried-etcdutl`;
    await machine.write(
      ['sh', '-c', 'umask 077; cat > "$1" && chmod 700 "$1"', 'sh', brought],
      createReadStream(carried),
      { signal },
    );
    const tool = await probe(brought, 'carried', `${carried}, brought there`);
    if (tool) {
      return tool;
    }
  }
  if (unable && options.withoutBump) return unable;
  throw new ClusterBackupError({
    code: unable ? 'etcd-tool-cannot-bump' : 'etcd-tool-missing',
    message: `${
      machine.name
    } has no program that restores a snapshot of etcd ${needed}: ${tried.join(
      '; ',
    )}.`,
    state: NOTHING_CHANGED,
    remedy: `Install etcdutl ${minor(needed)} on the PATH of root on ${
      machine.name
    }, pull the image ${etcd.image} again (crictl pull ${
      etcd.image
    }), or name an etcdutl of that version in etcdutlFile of the configuration.`,
    details: { machine: machine.name, tried, needed },
  });
}

function isReadable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}
