import { posix } from 'node:path';
import { NodeFileHeader } from '../archive/entries';
import { Machine } from '../machine/Machine';
import { CaptureRoots } from './captureList';
import { DataDirOwner, listFiles, Listing } from './listFiles';
import { readFiles } from './readFiles';

/** The files of a node, wherever they are. */
export interface NodeFiles {
  /**
   * As {@link readFiles}: of a folder the files in it, links followed, what is not there left out. It is the caller's,
   * who wipes it.
   */
  read(paths: readonly string[]): Promise<Map<string, Buffer>>;
  /** @param owner - of the data directory, as its pod's manifest has it */
  list(
    roots: CaptureRoots,
    dataDir: string,
    owner: DataDirOwner,
  ): Promise<Listing>;
}

/** The files that are on a machine now. */
export function filesOn(machine: Machine, signal: AbortSignal): NodeFiles {
  return {
    read: paths => readFiles(machine, paths, signal),
    list: (roots, dataDir) => listFiles(machine, roots, dataDir, signal),
  };
}

/** A file of a node as it came out of an archive. */
export interface ArchivedFile {
  header: NodeFileHeader;
  /** Empty where it is no file. */
  content: Buffer;
}

/** The files that an archive has of a machine; the data directory alone is the machine's own. */
export function filesInArchive(
  files: readonly ArchivedFile[],
  machine: Machine,
  signal: AbortSignal,
): NodeFiles {
  const byPath = new Map(files.map(file => [file.header.path, file]));
  const follow = (path: string): Buffer | undefined => {
    let at = path;
    for (let links = 0; links < 8; links++) {
      const found = byPath.get(at);
      if (found?.header.type === 'file') return found.content;
      if (found?.header.type !== 'symlink') return undefined;
      at = posix.resolve(posix.dirname(at), found.header.linkname!);
    }
    return undefined;
  };
  return {
    async read(paths) {
      const read = new Map<string, Buffer>();
      const inFolders = [...byPath.keys()].filter(
        path =>
          paths.includes(posix.dirname(path)) &&
          !posix.basename(path).startsWith('.'),
      );
      for (const path of [...paths, ...inFolders]) {
        const content = follow(path);
        if (content) read.set(path, Buffer.from(content));
      }
      return read;
    },
    async list(_, dataDir, owner) {
      const none = { roots: ['/dev/null'], excludes: () => true };
      const listing = await listFiles(machine, none, dataDir, signal);
      return { ...listing, dataDir: listing.dataDir ?? owner };
    },
  };
}
