import { pipeline } from 'node:stream';
import { extract } from 'tar-stream';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Machine } from '../machine/Machine';

const MAX_FILE = 2 << 20;
const MAX_TOTAL = 32 << 20;

// `find` passes over what is not there; tar's exit code 1 says that a file changed while it was read.
const SCRIPT = `find "$@" -maxdepth 1 ! -name '.*' ! -type d ! -size +${
  MAX_FILE >> 10
}k -print0 2>/dev/null | tar --null --no-recursion --hard-dereference -T - -hPcf -; test $? -le 1`;

/**
 * Reads small files of a machine, all in one command: each path is a file or a folder whose files (no deeper, no dot
 * files) are meant. Symbolic links are followed. What is not there is not in the result; neither is a file of more
 * than 2 MiB. Whoever reads wipes it after use.
 */
export async function readFiles(
  machine: Machine,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const source = machine.read(['sh', '-c', SCRIPT, 'sh', ...paths], {
    signal,
  });
  const tar = extract();
  pipeline(source, tar, () => {});
  let total = 0;
  for await (const entry of tar) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > MAX_TOTAL) {
        throw new ClusterBackupError({
          code: 'node-files-too-large',
          message: `The configuration files of ${
            machine.name
          } are larger than ${MAX_TOTAL >> 20} MiB.`,
          state: NOTHING_CHANGED,
          remedy: `Look for files on ${
            machine.name
          } that do not belong in ${paths.join(', ')}.`,
          details: { machine: machine.name, paths },
        });
      }
      chunks.push(chunk);
    }
    if (entry.header.type === 'file') {
      files.set(entry.header.name, Buffer.concat(chunks));
    }
    wipeFiles(chunks);
  }
  return files;
}

/** Forgets what files held: keys may be among them. */
export function wipeFiles(contents: Iterable<Uint8Array>): void {
  for (const content of contents) content.fill(0);
}
