import { Machine } from '../machine/Machine';
import { CaptureRoots } from './captureList';

/** A file larger than this in a folder that a pod mounts is data, whatever its name. */
export const MAX_CAPTURED_FILE = 4 << 20;

/** Owner and mode of a data directory. */
export interface DataDirOwner {
  uid: number;
  gid: number;
  mode: number;
}

/** What lies below the folders that a backup keeps. */
export interface Listing {
  paths: string[];
  tooLarge: string[];
  /** Where symbolic links lead that leave the listed folders. */
  targets: string[];
  dataDir?: DataDirOwner;
}

// Records end in NUL: kind and size and path; `L` is where a link leads, `D` the owner and mode of the data directory.
// A root that is a link to a folder is followed, links below a root only to files.
const LIST_SCRIPT = `data=$1; shift
stat -c 'D %u %g %a' -- "$data" 2>/dev/null | tr '\\n' '\\0'
find "$@" -xdev -maxdepth 8 \\( -type f -o -type l -o -type d \\) -printf '%y %s %p\\0' 2>/dev/null
for r do if [ -h "$r" ] && [ -d "$r" ]; then printf 'L 0 %s\\0' "$(readlink -f -- "$r")"; fi; done
find "$@" -xdev -maxdepth 8 -type l -exec sh -c 'for l do t=$(readlink -f -- "$l") && [ -f "$t" ] && printf "L 0 %s\\0" "$t"; done' sh {} + 2>/dev/null
exit 0`;

/** Lists what is below the roots, in one command. */
export async function listFiles(
  machine: Machine,
  { roots, excludes }: CaptureRoots,
  dataDir: string,
  signal: AbortSignal,
): Promise<Listing> {
  const { stdout } = await machine.run(
    ['sh', '-c', LIST_SCRIPT, 'sh', dataDir, ...roots],
    { signal, maxOutput: 8 << 20 },
  );
  const listing: Listing = { paths: [], tooLarge: [], targets: [] };
  const targets = new Set<string>();
  for (const record of stdout.split('\0')) {
    const [kind, size] = record.split(' ', 2);
    const path = record.slice(kind.length + 1 + (size?.length ?? 0) + 1);
    if (kind === 'D') {
      const [uid, gid, mode] = record.split(' ').slice(1);
      listing.dataDir = {
        uid: Number(uid),
        gid: Number(gid),
        mode: parseInt(mode, 8),
      };
    } else if (path && !excludes(path)) {
      if (kind === 'L') {
        targets.add(path);
      } else if (kind === 'f' && Number(size) > MAX_CAPTURED_FILE) {
        listing.tooLarge.push(path);
      } else {
        listing.paths.push(path);
      }
    }
  }
  const listed = new Set(listing.paths);
  listing.targets = [...targets].filter(path => !listed.has(path));
  return listing;
}
