import { Etcd, Operation } from '../apiserver/etcd';
import { storageKey } from '../apiserver/kinds';
import { encodeObject } from '../apiserver/storedObject';
import { SeedObject } from './objects';

/** Bytes of values in one transaction, about. */
const batchBytes = 512 << 10;

/** How often an object has been written when the filling is over. */
const revisions = 5;

/**
 * The shares of the wanted size that the first part fills and that the second
 * leaves free, measured: 30 % of the file are free in the end.
 */
const firstShare = 0.46;
const freedShare = 0.315;

/** Counts the pages that bbolt will use for revisions written in a row. */
export function pageCounter() {
  // etcd fills leaf pages to 90 %, with at least two entries in each; an entry
  // is 16 bytes of header, 17 of revision, and the key and value with 20 about
  // them, the rest of the last page lies waste.
  const page = 4096;
  let pages = 0;
  let bytes = 16;
  let entries = 0;
  return {
    add(keyBytes: number, valueBytes: number) {
      const entry = 16 + 17 + 20 + keyBytes + valueBytes;
      if (entries >= 2 && bytes + entry > page * 0.9) {
        pages += Math.ceil(bytes / page);
        bytes = 16;
        entries = 0;
      }
      bytes += entry;
      entries += 1;
    },
    bytes: () => pages * page,
  };
}

interface Entry {
  key: Buffer;
  early: Buffer;
  previous: Buffer;
  value: Buffer;
}

function entryOf({ kind, object }: SeedObject, wholePrevious: boolean): Entry {
  const { metadata } = object;
  const { name, namespace, uid, creationTimestamp } = metadata;
  // an object starts small, as `kubectl create namespace` and a first apply do
  const early = encodeObject(kind, {
    metadata: { name, namespace, uid, creationTimestamp },
  });
  const touched = {
    ...object,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, 'lab/restarted': 'once' },
    },
  };
  return {
    key: storageKey(kind, namespace ?? '', name),
    early,
    previous: wholePrevious ? encodeObject(kind, touched) : early,
    value: encodeObject(kind, object),
  };
}

function puts(entries: Entry[], value: (entry: Entry) => Buffer): Operation[] {
  return entries.map(entry => ({
    put: { key: entry.key, value: value(entry) },
  }));
}

/**
 * Writes objects, each in five revisions, until the database has `bytes`
 * bytes, and compacts; about 30 % of the pages are then free.
 *
 * The first part is written with small former revisions, compacted as it
 * goes so that their pages are used again. In the second part each object's
 * former revision is as large as its last, and compacted only at the end.
 */
export async function fillEtcd(
  etcd: Etcd,
  objects: Iterator<SeedObject>,
  bytes: number,
): Promise<{ keys: number; revision: number }> {
  let keys = 0;
  let revision = 1;
  let compacted = 1;
  let pending: Promise<void> = Promise.resolve();

  async function compact() {
    if (compacted === revision) return;
    compacted = revision;
    await etcd.compact(revision, true);
  }

  async function writeBatch(entries: Entry[]) {
    for (let turn = 1; turn <= revisions; turn += 1) {
      const { header } = await etcd.txn({
        success: puts(entries, entry => {
          if (turn === revisions) return entry.value;
          return turn === revisions - 1 ? entry.previous : entry.early;
        }),
        timeoutMs: 60_000,
      });
      revision = header.revision;
    }
  }

  const last = pageCounter();
  const former = pageCounter();

  async function writePart(isFull: () => boolean, wholePrevious: boolean) {
    for (let batches = 1; !isFull(); batches += 1) {
      const entries: Entry[] = [];
      let size = 0;
      while (size < batchBytes && !isFull()) {
        const entry = entryOf(objects.next().value, wholePrevious);
        last.add(entry.key.length, entry.value.length);
        if (wholePrevious) {
          former.add(entry.key.length, entry.previous.length);
          for (let turn = 2; turn < revisions; turn += 1) {
            former.add(entry.key.length, entry.early.length);
          }
        }
        size += entry.value.length;
        entries.push(entry);
      }
      keys += entries.length;
      // the next batch is made while etcd takes this one
      await pending;
      const compacts = !wholePrevious && batches % 64 === 0;
      pending = writeBatch(entries).then(() =>
        compacts ? compact() : undefined,
      );
      pending.catch(() => {}); // awaited in the next round
    }
    await pending;
    await compact();
  }

  await writePart(() => last.bytes() >= bytes * firstShare, false);
  await writePart(() => former.bytes() >= bytes * freedShare, true);
  return { keys, revision };
}
