/** Settles what was seen of a snapshot's pages. */
export interface RevisionFinder {
  /**
   * Looks at the next bytes of the file. Every block but the last must be a multiple of 64 KiB, which is a multiple
   * of every page size.
   */
  update(block: Buffer): void;
  /**
   * The store's revision: the last in the `key` bucket or, when a compaction left nothing as new, the compacted one.
   * `undefined` when the pages seen make no readable database.
   */
  revision(): number | undefined;
}

// bbolt: a page begins with id u64, flags u16, count u16, overflow u32; the numbers are the machine's, little endian.
export const PAGE_HEADER = 16;
export const ELEMENT = 16;
export const BRANCH = 0x01;
export const LEAF = 0x02;
const META = 0x04;
const BUCKET_ELEMENT = 0x01;
const MAGIC = 0xed0cdaed;
export const BUCKET_HEADER = 16;

/** `main(8, big endian) _ sub(8)`, with a `t` after it for a deletion. */
export const REVISION_KEY = 17;
const UNDERSCORE = 0x5f;

export const readId = (bytes: Buffer, at: number) =>
  bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;

export const readMainRevision = (key: Buffer) =>
  key.readUInt32BE(0) * 2 ** 32 + key.readUInt32BE(4);

/** Of so many leaf pages with the highest revisions the revision is kept; this bounds memory at any size. */
const KEPT_LEAVES = 1024;
const KEPT_OTHER_LEAVES = 1024;

/** A leaf page of another bucket than `key`: short, kept whole for the names in it. */
export type Entries = Map<string, { bucket: boolean; value: Buffer }>;

export function readEntries(page: Buffer): Entries {
  const entries: Entries = new Map();
  const count = page.readUInt16LE(10);
  for (let i = 0; i < count; i++) {
    const element = PAGE_HEADER + i * ELEMENT;
    const position = element + page.readUInt32LE(element + 4);
    const keySize = page.readUInt32LE(element + 8);
    const valueSize = page.readUInt32LE(element + 12);
    if (position + keySize + valueSize > page.length) {
      break;
    }
    entries.set(page.toString('latin1', position, position + keySize), {
      bucket: page.readUInt32LE(element) === BUCKET_ELEMENT,
      value: Buffer.from(
        page.subarray(position + keySize, position + keySize + valueSize),
      ),
    });
  }
  return entries;
}

/** The size of pages and the root page, as the newer of the two meta pages tells them; nothing where neither is one. */
export function readMeta(
  block: Buffer,
): { pageSize: number; root: number } | undefined {
  let newest = -1;
  let found: { pageSize: number; root: number } | undefined;
  for (const size of [4096, 8192, 16384, 32768, 65536, 1024, 2048, 512]) {
    for (const at of [0, size]) {
      if (
        at + 80 <= block.length &&
        (block.readUInt16LE(at + 8) & META) !== 0 &&
        block.readUInt32LE(at + 16) === MAGIC &&
        block.readUInt32LE(at + 24) === size &&
        readId(block, at + 64) > newest
      ) {
        newest = readId(block, at + 64);
        found = { pageSize: size, root: readId(block, at + 32) };
      }
    }
  }
  return found;
}

/** The highest revision that compactions tell of, in the entries of the `meta` bucket. */
export function compactedRevision(metaEntries: Entries | undefined): number {
  return ['finishedCompactRev', 'scheduledCompactRev'].reduce(
    (newest, name) => {
      const value = metaEntries?.get(name)?.value;
      return value && value.length >= REVISION_KEY
        ? Math.max(newest, readMainRevision(value))
        : newest;
    },
    0,
  );
}

/** The highest revision among the keys of a `key` bucket that lies in its parent's page, after its own header. */
export function inlineRevision(bucket: Buffer): number {
  return [...readEntries(bucket.subarray(BUCKET_HEADER)).keys()].reduce(
    (newest, key) =>
      Math.max(newest, readMainRevision(Buffer.from(key, 'latin1'))),
    0,
  );
}

/**
 * Finds the revision of an etcd snapshot while its bytes pass by. bbolt writes its meta pages first, so the root is
 * known from the start, yet a page may come before the page that leads to it, and pages that are no longer part of
 * the tree are in the file too. So of each plausible page the little is kept that the way down the right-hand edge
 * of the tree may need, and the way is walked at the end: a page that the tree does not lead to cannot matter,
 * whatever it holds.
 */
export function createRevisionFinder(): RevisionFinder {
  let pageSize = 0;
  let root = 0;
  let offset = 0;
  /** Branch page -> the child at its right-hand edge. */
  const lastChild = new Map<number, number>();
  /** Leaf page of the `key` bucket -> the main revision of its last key. */
  const lastRevision = new Map<number, number>();
  /** The highest revision that was dropped from `lastRevision`. */
  let dropped = 0;
  const otherLeaves = new Map<number, Entries>();
  /** Last keys that lie in bytes still to come. */
  let awaited: Array<{ page: number; at: number; key: Buffer; have: number }> =
    [];

  function keepRevision(page: number, key: Buffer) {
    if (key[8] !== UNDERSCORE) {
      return;
    }
    const main = readMainRevision(key);
    if (main <= dropped) {
      return;
    }
    lastRevision.set(page, main);
    if (lastRevision.size >= 8 * KEPT_LEAVES) {
      const floor = Float64Array.from(lastRevision.values()).sort()[
        lastRevision.size - KEPT_LEAVES
      ];
      for (const [low, revisionOfLow] of lastRevision) {
        if (revisionOfLow < floor) {
          dropped = Math.max(dropped, revisionOfLow);
          lastRevision.delete(low);
        }
      }
    }
  }

  function readLeaf(block: Buffer, at: number, page: number, count: number) {
    const first = at + PAGE_HEADER;
    const elementsEnd = first + count * ELEMENT;
    if (elementsEnd > block.length) {
      return;
    }
    const firstKeySize = block.readUInt32LE(first + 8);
    if (firstKeySize !== REVISION_KEY && firstKeySize !== REVISION_KEY + 1) {
      // Lease identifiers are 8 bytes; of users and roles nothing is needed either, but they are few.
      const overflow = block.readUInt32LE(at + 12);
      const end = at + (overflow + 1) * pageSize;
      if (
        firstKeySize !== 8 &&
        overflow < 4 &&
        end <= block.length &&
        otherLeaves.size < KEPT_OTHER_LEAVES
      ) {
        otherLeaves.set(page, readEntries(block.subarray(at, end)));
      }
      return;
    }
    const last = elementsEnd - ELEMENT;
    const keySize = block.readUInt32LE(last + 8);
    if (keySize !== REVISION_KEY && keySize !== REVISION_KEY + 1) {
      return;
    }
    const position = last + block.readUInt32LE(last + 4);
    if (position + REVISION_KEY <= block.length) {
      keepRevision(
        page,
        block.subarray(position, position + REVISION_KEY) as Buffer,
      );
      return;
    }
    const key = Buffer.alloc(REVISION_KEY);
    const have = position < block.length ? block.copy(key, 0, position) : 0;
    awaited.push({ page, at: offset + position + have, key, have });
  }

  function serveAwaited(block: Buffer) {
    const end = offset + block.length;
    awaited = awaited.filter(wanted => {
      if (wanted.at >= end) {
        return true;
      }
      const from = wanted.at - offset;
      const copied = block.copy(wanted.key, wanted.have, from);
      wanted.have += copied;
      wanted.at += copied;
      if (wanted.have < REVISION_KEY) {
        return true;
      }
      keepRevision(wanted.page, wanted.key);
      return false;
    });
  }

  function update(block: Buffer) {
    if (offset === 0) {
      ({ pageSize, root } = readMeta(block) ?? { pageSize, root });
    }
    if (awaited.length > 0) {
      serveAwaited(block);
    }
    if (pageSize > 0) {
      let page = offset / pageSize;
      for (let at = 0; at + pageSize <= block.length; at += pageSize, page++) {
        if (readId(block, at) !== page) {
          continue;
        }
        const flags = block.readUInt16LE(at + 8);
        const count = block.readUInt16LE(at + 10);
        if (flags === LEAF && count > 0) {
          readLeaf(block, at, page, count);
        } else if (flags === BRANCH && count > 0) {
          const last = at + PAGE_HEADER + (count - 1) * ELEMENT;
          if (last + ELEMENT <= block.length) {
            lastChild.set(page, readId(block, last + 8));
          }
        }
      }
    }
    offset += block.length;
  }

  /** The leaf at the right-hand edge below a page. */
  function lastLeaf(from: number): number {
    let page = from;
    for (let depth = 0; depth < 64 && lastChild.has(page); depth++) {
      page = lastChild.get(page)!;
    }
    return page;
  }

  function revision() {
    const buckets = otherLeaves.get(root);
    const keyBucket = buckets?.get('key');
    if (!keyBucket?.bucket) {
      return undefined;
    }
    let newest = 0;
    const keyRoot = readId(keyBucket.value, 0);
    if (keyRoot !== 0) {
      // A dropped leaf is below what was dropped, which is either its own revision or, when a compaction removed
      // all that was newer, below the compacted revision.
      const leaf = lastRevision.get(lastLeaf(keyRoot)) ?? dropped;
      if (leaf === 0) {
        return undefined;
      }
      newest = leaf;
    } else {
      newest = inlineRevision(keyBucket.value);
    }
    const meta = buckets?.get('meta');
    const metaRoot = meta?.bucket ? readId(meta.value, 0) : 0;
    const metaEntries =
      meta && metaRoot === 0
        ? readEntries(meta.value.subarray(BUCKET_HEADER))
        : otherLeaves.get(metaRoot);
    // A store that was never written to is at revision 1.
    return Math.max(newest, compactedRevision(metaEntries), 1);
  }

  return { update, revision };
}
