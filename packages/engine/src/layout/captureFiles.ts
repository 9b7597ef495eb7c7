import { pipeline } from 'node:stream';
import { extract } from 'tar-stream';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Progress } from '../progress';
import { ControlPlaneNode } from './ControlPlaneNode';

/** A file of a node on its way into an archive. @public */
export interface CapturedFile {
  header: {
    /** Absolute on the node. */
    path: string;
    type: 'file' | 'symlink' | 'directory';
    /** Permission bits. */
    mode: number;
    uid: number;
    gid: number;
    /** Bytes; 0 for links and folders. */
    size: number;
    mtime: Date;
    linkname?: string;
  };
  /** The bytes of a file; to be read to its end before the next file is asked for. */
  source?: AsyncIterable<Uint8Array>;
}

const MAX_BYTES = 64 << 20;
const MAX_ENTRIES = 20_000;

// What vanished meanwhile (the kubelet rotates its certificates) is passed over; tar's exit code 1 says that a file
// changed while it was read.
const SCRIPT = `for f do if [ -e "$f" ] || [ -h "$f" ]; then printf '%s\\0' "$f"; fi; done |
tar --numeric-owner --null --no-recursion --hard-dereference --ignore-failed-read -T - -Pcf - ; test $? -le 1`;

/** A command line reaches a machine's shell as one argument, of which Linux takes no more than 128 KiB. */
const MAX_NAMES = 48 << 10;

function* batches(paths: readonly string[]) {
  let batch: string[] = [];
  let length = 0;
  for (const path of paths) {
    batch.push(path);
    length += path.length + 8;
    if (length > MAX_NAMES) {
      yield batch;
      batch = [];
      length = 0;
    }
  }
  if (batch.length > 0) {
    yield batch;
  }
}

/**
 * Streams the files of a node that a backup keeps, with owners, modes and symbolic links, in one command.
 *
 * @throws ClusterBackupError `node-files-too-large` above 64 MiB or 20 000 files, `node-file-unreadable`, and those of the machine
 * @public
 */
export async function* captureFiles(
  node: ControlPlaneNode,
  options: { signal: AbortSignal; progress?: Progress },
): AsyncGenerator<CapturedFile> {
  const { machine } = node;
  const { signal, progress } = options;
  const tooMuch = (what: string) =>
    new ClusterBackupError({
      code: 'node-files-too-large',
      message: `The configuration files of ${machine.name} are more than ${what}.`,
      state: NOTHING_CHANGED,
      remedy: `Look for a static pod on ${machine.name} that mounts a folder of data, and for files that do not belong in ${node.manifestsDir} or the PKI folder.`,
      details: { machine: machine.name, entries: node.capture.length },
    });
  if (node.capture.length > MAX_ENTRIES) {
    throw tooMuch(`${MAX_ENTRIES} files`);
  }
  const missing = new Set(node.capture);
  let total = 0;
  for (const names of batches(node.capture)) {
    const tar = extract();
    pipeline(
      machine.read(['sh', '-c', SCRIPT, 'sh', ...names], { signal }),
      tar,
      () => {},
    );
    for await (const entry of tar) {
      const { name, mode, uid, gid, size = 0, mtime } = entry.header;
      const { type, linkname } = entry.header;
      const path = name.replace(/(.)\/$/, '$1');
      total += size;
      if (total > MAX_BYTES) {
        throw tooMuch(`${MAX_BYTES >> 20} MiB`);
      }
      missing.delete(path);
      if (type === 'file' || type === 'symlink' || type === 'directory') {
        yield {
          header: {
            path,
            type,
            mode: (mode ?? 0) & 0o7777,
            uid: uid ?? 0,
            gid: gid ?? 0,
            size: type === 'file' ? size : 0,
            mtime: mtime ?? new Date(0),
            ...(type === 'symlink' && { linkname: linkname ?? '' }),
          },
          ...(type === 'file' && {
            source: entry as AsyncIterable<Uint8Array>,
          }),
        };
      }
      entry.resume();
    }
  }
  for (const path of missing) {
    const { code } = await machine.run(['test', '-e', path], {
      accept: [0, 1],
      signal,
    });
    if (code === 0) {
      throw new ClusterBackupError({
        code: 'node-file-unreadable',
        message: `${path} on ${machine.name} is there but cannot be read.`,
        state: NOTHING_CHANGED,
        remedy: `Look at the disk of ${machine.name} and at what keeps root from reading ${path}.`,
        details: { machine: machine.name, path },
      });
    }
    progress?.({
      type: 'note',
      machine: machine.name,
      message: `${path} went away while the files were read; it is not in the backup.`,
    });
  }
}
