import { createHash } from 'node:crypto';
import { abortable } from '../abortable';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { Machine } from '../machine/Machine';
import { SnapshotFacts, SnapshotStream } from './EtcdMember';
import {
  BRANCH,
  BUCKET_HEADER,
  compactedRevision,
  createRevisionFinder,
  ELEMENT,
  inlineRevision,
  LEAF,
  PAGE_HEADER,
  readEntries,
  readId,
  readMainRevision,
  readMeta,
  REVISION_KEY,
} from './snapshotRevision';

/** The data of an etcd member that no process has open. @public */
export interface DataAtRest {
  /** Its database file on the machine. */
  path: string;
  /** Bytes of that file. */
  size: number;
  /** The last revision in it. */
  revision: number;
}

const MISSING = 75;
const IN_USE = 76;
const GROWN = 77;
const SECTOR = 512;
const BLOCK = 512 << 10;
/** The largest page, twice: both meta pages are in it. */
const HEAD = 128 << 10;
const MAX_DEPTH = 64;

// etcd holds this lock, exclusively, for as long as it runs on the file. Sharing it keeps an etcd that starts meanwhile
// waiting, so what is read stands still.
const OPEN = `set -eu
[ -s "$1" ] || exit ${MISSING}
exec 8<"$1"
flock -s -n 8 || exit ${IN_USE}
size=$(stat -L -c %s /dev/fd/8)
`;

/**
 * Looks into the database of a member that does not run: reads no more than the few pages that tell its revision.
 *
 * @param folder - the member's folder (`member` of its data directory)
 * @returns nothing where there is no such file
 * @throws ClusterBackupError `etcd-data-in-use` when a process has it open, `etcd-data-unreadable`, and those of the
 * machine
 * @public
 */
export async function readDataAtRest(
  machine: Machine,
  folder: string,
  signal: AbortSignal,
): Promise<DataAtRest | undefined> {
  const path = `${folder}/snap/db`;
  let size = 0;
  const bytes = async (offset: number, length: number): Promise<Buffer> => {
    const skip = Math.floor(offset / SECTOR);
    const count = Math.ceil((offset + length) / SECTOR) - skip;
    const { code, stdout } = await machine.run(
      [
        'sh',
        '-c',
        `${OPEN}echo "$size"
dd bs=${SECTOR} skip="$2" count="$3" status=none <&8 | base64 -w 0`,
        'sh',
        path,
        String(skip),
        String(count),
      ],
      { signal, accept: [0, MISSING, IN_USE] },
    );
    if (code === MISSING) return Buffer.alloc(0);
    if (code === IN_USE) throw inUse(machine.name, path);
    const [told, data] = stdout.split('\n');
    size = Number(told);
    const from = offset - skip * SECTOR;
    return Buffer.from(data, 'base64').subarray(from, from + length);
  };
  const head = await bytes(0, HEAD);
  if (!head.length) return undefined;
  const revision = await revisionIn(head, bytes).catch(error => {
    // Whatever a page that is none leads to.
    if (error instanceof RangeError) return undefined;
    throw error;
  });
  if (revision === undefined) {
    throw new ClusterBackupError({
      code: 'etcd-data-unreadable',
      message: `${path} on ${machine.name} is no readable database of etcd.`,
      state: NOTHING_CHANGED,
      remedy: 'Use the data of another member, or a backup.',
      details: { machine: machine.name, path, size },
    });
  }
  return { path, size, revision };
}

/** Goes down the right-hand edge of the `key` bucket, page by page. */
async function revisionIn(
  head: Buffer,
  bytes: (offset: number, length: number) => Promise<Buffer>,
): Promise<number | undefined> {
  const found = readMeta(head);
  if (!found) return undefined;
  const { pageSize, root } = found;
  const page = (id: number) => bytes(id * pageSize, pageSize);
  const wholePage = async (id: number) => {
    const overflow = (await page(id)).readUInt32LE(12);
    return bytes(id * pageSize, Math.min(overflow + 1, 16) * pageSize);
  };
  const buckets = readEntries(await wholePage(root));
  const key = buckets.get('key');
  if (!key?.bucket) return undefined;
  const meta = buckets.get('meta');
  const metaRoot = meta?.bucket ? readId(meta.value, 0) : 0;
  const metaPage = metaRoot
    ? await wholePage(metaRoot)
    : meta?.value.subarray(BUCKET_HEADER);
  const compacted = compactedRevision(metaPage && readEntries(metaPage));

  let id = readId(key.value, 0);
  if (id === 0) return Math.max(inlineRevision(key.value), compacted, 1);
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const first = await page(id);
    const flags = first.readUInt16LE(8);
    const count = first.readUInt16LE(10);
    if (readId(first, 0) !== id || !count) return undefined;
    const last = id * pageSize + PAGE_HEADER + (count - 1) * ELEMENT;
    const element = await bytes(last, ELEMENT);
    if (flags === LEAF) {
      const position = last + element.readUInt32LE(4);
      const revision = readMainRevision(await bytes(position, REVISION_KEY));
      return Math.max(revision, compacted, 1);
    }
    if (flags !== BRANCH) return undefined;
    id = readId(element, 8);
  }
  return undefined;
}

/**
 * Streams a database file as etcd's own snapshot has it: its bytes, then their SHA-256. While it streams no etcd starts
 * on the file.
 *
 * @throws ClusterBackupError, from the stream: `etcd-data-in-use`, `etcd-data-changed` and those of the machine
 * @public
 */
export function streamDataAtRest(
  machine: Machine,
  { path, size, revision }: DataAtRest,
  options: { signal: AbortSignal; takeBlock?: () => Buffer },
): SnapshotStream {
  const { takeBlock = () => Buffer.allocUnsafeSlow(BLOCK) } = options;
  const signal = AbortSignal.any([options.signal, machine.lost]);
  let settle!: (facts: SnapshotFacts) => void;
  let reject!: (error: unknown) => void;
  const facts = new Promise<SnapshotFacts>((resolve, no) => {
    settle = resolve;
    reject = no;
  });
  facts.catch(() => {});

  /** What the command refuses, it tells with its exit code. */
  function refusalOf(error: unknown): ClusterBackupError | undefined {
    if (!(error instanceof ClusterBackupError)) return undefined;
    const { code } = error.details;
    if (code === IN_USE) return inUse(machine.name, path);
    return code === MISSING || code === GROWN
      ? changed(machine.name, path, { size })
      : undefined;
  }

  async function* stream(): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    const finder = createRevisionFinder();
    let received = 0;
    try {
      const source = machine.read(
        [
          'sh',
          '-c',
          `${OPEN}[ "$size" = "$2" ] || exit ${GROWN}
exec cat <&8`,
          'sh',
          path,
          String(size),
        ],
        { signal },
      );
      for await (const block of blocksOf(
        abortable(source, signal),
        takeBlock,
      )) {
        hash.update(block);
        finder.update(block);
        received += block.length;
        yield block;
      }
      const found = finder.revision();
      if (received !== size || found !== revision) {
        throw changed(machine.name, path, { size, received, revision, found });
      }
      const trailer = hash.copy().digest();
      yield trailer;
      const sha256 = hash.update(trailer).digest('hex');
      settle({ sha256, revision });
    } catch (error) {
      const told = refusalOf(error) ?? error;
      reject(told);
      throw told;
    } finally {
      reject(changed(machine.name, path, { size, received }));
    }
  }
  return { size: size + 32, stream: stream(), facts };
}

/** The same bytes in full blocks, but for the last. */
async function* blocksOf(
  source: AsyncIterable<Uint8Array>,
  takeBlock: () => Buffer,
): AsyncGenerator<Buffer> {
  let block = takeBlock();
  let filled = 0;
  for await (const chunk of source) {
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + block.length - filled);
      block.set(part, filled);
      from += part.length;
      filled += part.length;
      if (filled === block.length) {
        yield block;
        block = takeBlock();
        filled = 0;
      }
    }
  }
  if (filled) yield block.subarray(0, filled);
}

function inUse(machine: string, path: string) {
  return new ClusterBackupError({
    code: 'etcd-data-in-use',
    message: `A process on ${machine} has ${path} open, so it may change while it is read.`,
    state: NOTHING_CHANGED,
    remedy: `Where etcd on ${machine} runs and does not answer, stop it: take its manifest out of the folder that the kubelet watches.`,
    details: { machine, path },
  });
}

function changed(machine: string, path: string, details: object) {
  return new ClusterBackupError({
    code: 'etcd-data-changed',
    message: `${path} on ${machine} is not what it was when it was looked at.`,
    state: NOTHING_CHANGED,
    remedy:
      'Try again; where etcd was started meanwhile it answers by itself now.',
    details: { machine, path, ...details },
  });
}
