import { createHash } from 'node:crypto';
import {
  connectEtcd,
  EtcdAccess,
  prefixEnd,
  RangeResponse,
} from '../apiserver/etcd';
import { WRITTEN_AT_START } from '../apiserver/ownWrites';

/** One key as it is at a revision. @public */
export interface RegistryEntry {
  key: string;
  /** hex */
  valueSha256: string;
  version: number;
  createRevision: number;
  modRevision: number;
}

/**
 * Prefixes of keys that a control plane rewrites by itself as it runs, so
 * that they can not be as they were once it has started again: leases of
 * components and nodes, the API servers' own, and events.
 * @public
 */
export const REWRITTEN_WHILE_RUNNING: readonly string[] = [
  '/registry/events/',
  '/registry/leases/',
  ...WRITTEN_AT_START.filter(prefix => !prefix.startsWith('/registry/leases/')),
];

const prefix = Buffer.from('/registry/');
const pageSize = 1_000;

/**
 * Reads every key below /registry in the order of keys, in pages of one
 * revision: the given one, or the newest at the start. A linearizable read;
 * fails when that revision is compacted, or after 60 s without an answer.
 * @public
 */
export async function* registryContents(
  access: EtcdAccess,
  revision?: number,
): AsyncGenerator<RegistryEntry> {
  const etcd = connectEtcd(access);
  try {
    let start: Buffer = prefix;
    let at = revision;
    for (;;) {
      const page: RangeResponse = await etcd.range({
        key: start,
        rangeEnd: prefixEnd(prefix),
        limit: pageSize,
        revision: at,
        timeoutMs: 60_000,
      });
      at ??= page.header.revision;
      for (const { key, value, ...rest } of page.kvs) {
        yield {
          key: key.toString(),
          valueSha256: createHash('sha256').update(value).digest('hex'),
          version: rest.version,
          createRevision: rest.createRevision,
          modRevision: rest.modRevision,
        };
      }
      const last = page.kvs[page.kvs.length - 1];
      if (!page.more || !last) return;
      start = Buffer.concat([last.key, Buffer.of(0)]);
    }
  } finally {
    etcd.close();
  }
}
