import { randomBytes, randomUUID } from 'node:crypto';
import {
  Compare,
  Etcd,
  isCompacted,
  isFutureRevision,
  isLeaseGone,
  KeyValue,
  prefixEnd,
  RangeResponse,
} from './etcd';
import { apiVersion, Kind, kindNamed, kinds, storageKey } from './kinds';
import { Selection } from './selectors';
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  invalid,
  notFound,
  StatusError,
} from './status';
import { encodeObject, KubernetesObject, objectOf } from './storedObject';

export interface Listing {
  revision: number;
  /** in the order of their keys, read as they are taken */
  objects: AsyncIterable<KubernetesObject>;
}

export interface Page {
  revision: number;
  objects: KubernetesObject[];
  continue?: string;
  remaining?: number;
}

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  object: KubernetesObject;
}

export interface Watching {
  /** ends when etcd goes away; fails with a StatusError 410 */
  events: AsyncIterable<WatchEvent>;
  requestBookmark(): void;
  cancel(): void;
}

export interface Preconditions {
  uid?: string;
  resourceVersion?: string;
}

/** Objects as the API knows them, in etcd; nothing is kept in memory. */
export interface Registry {
  get(
    kind: Kind,
    namespace: string,
    name: string,
    revision?: number,
  ): Promise<KubernetesObject>;
  list(kind: Kind, namespace: string, revision?: number): Promise<Listing>;
  page(
    kind: Kind,
    namespace: string,
    options: {
      limit: number;
      continueToken?: string;
      revision?: number;
      selects?: Selection;
    },
  ): Promise<Page>;
  watch(
    kind: Kind,
    namespace: string,
    revision: number,
    selects: Selection | undefined,
  ): Promise<Watching>;
  create(
    kind: Kind,
    namespace: string,
    object: KubernetesObject,
  ): Promise<KubernetesObject>;
  update(
    kind: Kind,
    namespace: string,
    name: string,
    change: (current: KubernetesObject) => KubernetesObject,
    subresource?: 'status',
  ): Promise<KubernetesObject>;
  remove(
    kind: Kind,
    namespace: string,
    name: string,
    preconditions?: Preconditions,
  ): Promise<KubernetesObject>;
}

const pageSize = 1_000;

/** How long etcd keeps an Event, as a real API server asks (--event-ttl). */
const eventTtlSeconds = 3600;

function now() {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

function readToken(token: string): { revision: number; start: string } {
  try {
    const { rv, start } = JSON.parse(
      Buffer.from(token, 'base64url').toString(),
    );
    return { revision: Number(rv), start: String(start) };
  } catch {
    throw badRequest('continue key is not valid');
  }
}

function writeToken(revision: number, start: string) {
  return Buffer.from(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start }),
  ).toString('base64url');
}

function checkName(kind: Kind, object: KubernetesObject) {
  const { name } = object.metadata;
  if (!/^[a-z0-9]([-a-z0-9.:]*[a-z0-9])?$/.test(name) || name.length > 253) {
    throw invalid(
      `${kind.kind} "${name}" is invalid: metadata.name: Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character`,
    );
  }
}

/** Whose spec has generations that its status follows later: custom resources, and Jobs. */
function isCounted(kind: Kind): boolean {
  return !kind.message || kind.plural === 'jobs';
}

/** Turns etcd's answer about a revision into the API's. */
function explain(error: any, revision: number | undefined): unknown {
  if (isCompacted(error)) {
    return expired(
      'The provided continue parameter or resourceVersion is too old to display a consistent list result.',
    );
  }
  if (isFutureRevision(error)) {
    return new StatusError(
      504,
      'Timeout',
      `Too large resource version: ${revision}`,
      { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 },
    );
  }
  return error;
}

/** @param overrides - who keeps what the first does not, by `GROUP/RESOURCE` */
export function openRegistry(
  etcd: Etcd,
  overrides: ReadonlyMap<string, Etcd> = new Map(),
): Registry {
  const etcdOf = ({ group, plural }: Kind) =>
    overrides.get(`${group}/${plural}`) ?? etcd;
  let eventLease: { id: Promise<string>; until: number } | undefined;

  function leaseFor(kind: Kind): Promise<string> | undefined {
    if (kind.plural !== 'events') return undefined;
    if (!eventLease || Date.now() > eventLease.until) {
      // one lease serves the events of a minute
      eventLease = {
        id: etcdOf(kind).leaseGrant(eventTtlSeconds + 60),
        until: Date.now() + 60_000,
      };
    }
    return eventLease.id;
  }

  async function write(
    kind: Kind,
    key: Buffer,
    object: KubernetesObject,
    compare: Compare[],
  ) {
    for (;;) {
      try {
        const lease = await leaseFor(kind);
        return await etcdOf(kind).txn({
          compare,
          success: [
            {
              put: {
                key,
                value: encodeObject(kind, object),
                ...(lease && { lease }),
              },
            },
          ],
          failure: compare.map(term => ({ range: { key: term.key } })),
        });
      } catch (error) {
        if (kind.plural === 'events') {
          const known = eventLease !== undefined;
          eventLease = undefined;
          if (known && isLeaseGone(error)) continue;
        }
        throw error;
      }
    }
  }

  async function range(
    kind: Kind,
    request: Parameters<Etcd['range']>[0],
  ): Promise<RangeResponse> {
    try {
      return await etcdOf(kind).range({ timeoutMs: 30_000, ...request });
    } catch (error) {
      throw explain(error, request.revision);
    }
  }

  async function stored(
    kind: Kind,
    namespace: string,
    name: string,
    revision?: number,
  ): Promise<KeyValue> {
    const key = storageKey(kind, namespace, name);
    const { kvs } = await range(kind, { key, revision, timeoutMs: 5_000 });
    if (!kvs[0]) throw notFound(kind, name);
    return kvs[0];
  }

  async function discard(
    kind: Kind,
    key: Buffer,
    current: KeyValue,
  ): Promise<KubernetesObject | undefined> {
    const deleted = await etcdOf(kind).txn({
      compare: [{ key, modRevision: current.modRevision, result: 0 }],
      success: [{ deleteRange: { key } }],
    });
    if (!deleted.succeeded) return undefined;
    const object = objectOf(kind, current);
    object.metadata.resourceVersion = String(deleted.header.revision);
    return object;
  }

  async function emptyNamespace(name: string) {
    for (const kind of kinds.filter(({ namespaced }) => namespaced)) {
      const key = storageKey(kind, name, '');
      await etcdOf(kind).txn({
        success: [{ deleteRange: { key, rangeEnd: prefixEnd(key) } }],
        timeoutMs: 30_000,
      });
    }
  }

  async function* pages(
    kind: Kind,
    first: RangeResponse,
    end: Buffer,
  ): AsyncGenerator<KeyValue> {
    let answer = first;
    for (;;) {
      yield* answer.kvs;
      const last = answer.kvs[answer.kvs.length - 1];
      if (!answer.more || !last) return;
      answer = await range(kind, {
        key: Buffer.concat([last.key, Buffer.of(0)]),
        rangeEnd: end,
        limit: pageSize,
        revision: first.header.revision,
      });
    }
  }

  async function scan(
    kind: Kind,
    namespace: string,
    at: { revision?: number; start?: string; limit?: number },
  ) {
    const prefix = storageKey(kind, namespace, '');
    const end = prefixEnd(prefix);
    const first = await range(kind, {
      key: at.start ? Buffer.from(at.start) : prefix,
      rangeEnd: end,
      limit: at.limit ?? pageSize,
      revision: at.revision,
    });
    const revision = at.revision ?? first.header.revision;
    return {
      revision,
      count: first.count,
      values: pages(kind, { ...first, header: { revision } }, end),
    };
  }

  return {
    async get(kind, namespace, name, revision) {
      return objectOf(kind, await stored(kind, namespace, name, revision));
    },

    async list(kind, namespace, revision) {
      const found = await scan(kind, namespace, { revision });
      return {
        revision: found.revision,
        objects: (async function* objects() {
          for await (const value of found.values) yield objectOf(kind, value);
        })(),
      };
    },

    async page(kind, namespace, { limit, continueToken, revision, selects }) {
      const token = continueToken ? readToken(continueToken) : undefined;
      const found = await scan(kind, namespace, {
        revision: token?.revision ?? revision,
        start: token?.start,
        limit: Math.min(limit + 1, pageSize),
      });
      const page: Page = { revision: found.revision, objects: [] };
      for await (const value of found.values) {
        const object = objectOf(kind, value);
        if (selects && !selects(object)) continue;
        if (page.objects.length === limit) {
          page.continue = writeToken(found.revision, value.key.toString());
          if (!selects) page.remaining = found.count - limit;
          break;
        }
        page.objects.push(object);
      }
      return page;
    },

    async watch(kind, namespace, revision, selects) {
      const prefix = storageKey(kind, namespace, '');
      const current = await etcdOf(kind).range({ key: prefix, limit: 1 });
      const watch = etcdOf(kind).watch({
        key: prefix,
        rangeEnd: prefixEnd(prefix),
        startRevision: revision + 1,
      });

      function toEvent(change: {
        type: number;
        kv: KeyValue;
        prevKv?: KeyValue;
      }): WatchEvent | undefined {
        const before = change.prevKv && objectOf(kind, change.prevKv);
        const wasSelected = before && (!selects || selects(before));
        if (change.type === 1) {
          if (!before) throw expired('the deleted object is compacted');
          before.metadata.resourceVersion = String(change.kv.modRevision);
          return wasSelected ? { type: 'DELETED', object: before } : undefined;
        }
        const object = objectOf(kind, change.kv);
        if (!selects || selects(object)) {
          return { type: wasSelected ? 'MODIFIED' : 'ADDED', object };
        }
        return wasSelected ? { type: 'DELETED', object } : undefined;
      }

      async function* events(): AsyncGenerator<WatchEvent> {
        if (revision > current.header.revision) {
          throw expired(
            `resource version ${revision} is ahead of the newest, ${current.header.revision}`,
          );
        }
        for await (const answer of watch.responses) {
          if (answer.compactRevision > 0) {
            throw expired(
              `too old resource version: ${revision} (${answer.compactRevision})`,
            );
          }
          if (answer.canceled) return;
          for (const change of answer.events) {
            const event = toEvent(change);
            if (event) yield event;
          }
          if (!answer.created && answer.events.length === 0) {
            yield {
              type: 'BOOKMARK',
              object: {
                kind: kind.kind,
                apiVersion: apiVersion(kind),
                metadata: {
                  name: '',
                  resourceVersion: String(answer.header.revision),
                },
              },
            };
          }
        }
      }

      return {
        events: events(),
        requestBookmark: watch.requestProgress,
        cancel: watch.cancel,
      };
    },

    async create(kind, namespace, input) {
      const { resourceVersion, generateName, ...given } = input.metadata;
      if (resourceVersion) {
        throw badRequest(
          'resourceVersion should not be set on objects to be created',
        );
      }
      const object: KubernetesObject = {
        ...input,
        apiVersion: apiVersion(kind),
        kind: kind.kind,
        metadata: {
          ...given,
          ...(generateName && { generateName }),
          name:
            given.name ||
            (generateName &&
              `${generateName}${randomBytes(3).toString('hex').slice(1)}`),
          ...(kind.namespaced && { namespace }),
          uid: randomUUID(),
          creationTimestamp: now(),
          ...((isCounted(kind) || kind.plural === 'pods') && { generation: 1 }),
        },
      };
      if (isCounted(kind) && kind.hasStatus) delete object.status;
      if (kind.plural === 'namespaces') {
        object.spec ??= { finalizers: ['kubernetes'] };
        object.status = { phase: 'Active' };
        object.metadata.labels = {
          'kubernetes.io/metadata.name': object.metadata.name,
          ...object.metadata.labels,
        };
      }
      checkName(kind, object);
      const { name } = object.metadata;
      const key = storageKey(kind, namespace, name);
      const namespaces = kindNamed('namespaces');
      const home = storageKey(namespaces, '', namespace);
      const isApart = etcdOf(kind) !== etcdOf(namespaces);
      if (isApart) await stored(namespaces, '', namespace);
      const written = await write(kind, key, object, [
        { key, createRevision: 0, result: 0 },
        ...(kind.namespaced && !isApart
          ? [{ key: home, createRevision: 0, result: 1 as const }]
          : []),
      ]);
      if (!written.succeeded) {
        const found = written.responses[1]?.range;
        if (found && !found.kvs.length) throw notFound(namespaces, namespace);
        throw alreadyExists(kind, name);
      }
      return {
        ...object,
        metadata: {
          ...object.metadata,
          resourceVersion: String(written.header.revision),
        },
      };
    },

    async update(kind, namespace, name, change, subresource) {
      const key = storageKey(kind, namespace, name);
      for (;;) {
        const before = await stored(kind, namespace, name);
        const current = objectOf(kind, before);
        const wanted = change(structuredClone(current));
        const asked = wanted.metadata.resourceVersion;
        if (asked && asked !== current.metadata.resourceVersion) {
          throw conflict(kind, name);
        }
        if (wanted.metadata.name && wanted.metadata.name !== name) {
          throw badRequest(
            `the name of the object (${wanted.metadata.name}) does not match the name on the URL (${name})`,
          );
        }
        if (
          wanted.metadata.uid &&
          wanted.metadata.uid !== current.metadata.uid
        ) {
          throw conflict(
            kind,
            name,
            `Precondition failed: UID in precondition: ${wanted.metadata.uid}, UID in object meta: ${current.metadata.uid}`,
          );
        }
        const object: KubernetesObject =
          subresource === 'status'
            ? { ...current, status: wanted.status }
            : {
                ...wanted,
                apiVersion: apiVersion(kind),
                kind: kind.kind,
                metadata: { ...wanted.metadata, name },
              };
        for (const field of [
          'uid',
          'creationTimestamp',
          'namespace',
          'generation',
          'deletionTimestamp',
        ]) {
          if (current.metadata[field] === undefined) {
            delete object.metadata[field];
          } else object.metadata[field] = current.metadata[field];
        }
        if (subresource !== 'status' && kind.hasStatus) {
          if (current.status === undefined) delete object.status;
          else object.status = current.status;
          if (
            object.metadata.generation !== undefined &&
            JSON.stringify(object.spec) !== JSON.stringify(current.spec)
          ) {
            object.metadata.generation += 1;
          }
        }
        if (
          object.metadata.deletionTimestamp &&
          !object.metadata.finalizers?.length
        ) {
          const gone = await discard(kind, key, before);
          if (gone) return gone;
        } else if (encodeObject(kind, object).equals(before.value)) {
          return current;
        } else {
          const written = await write(kind, key, object, [
            { key, modRevision: before.modRevision, result: 0 },
          ]);
          if (written.succeeded) {
            object.metadata.resourceVersion = String(written.header.revision);
            return object;
          }
        }
        if (asked) throw conflict(kind, name);
      }
    },

    async remove(kind, namespace, name, preconditions = {}) {
      const key = storageKey(kind, namespace, name);
      for (;;) {
        const before = await stored(kind, namespace, name);
        const current = objectOf(kind, before);
        for (const field of ['uid', 'resourceVersion'] as const) {
          const asked = preconditions[field];
          if (asked && asked !== current.metadata[field]) {
            throw conflict(
              kind,
              name,
              `the ${field} in the precondition (${asked}) does not match the ${field} in record (${current.metadata[field]})`,
            );
          }
        }
        if (current.metadata.finalizers?.length) {
          if (current.metadata.deletionTimestamp) return current;
          const { resourceVersion, ...metadata } = current.metadata;
          const object = {
            ...current,
            metadata: {
              ...metadata,
              deletionTimestamp: now(),
              deletionGracePeriodSeconds: 0,
            },
          };
          const written = await write(kind, key, object, [
            { key, modRevision: before.modRevision, result: 0 },
          ]);
          if (written.succeeded) {
            return objectOf(kind, {
              ...before,
              value: encodeObject(kind, object),
              modRevision: written.header.revision,
            });
          }
        } else {
          if (kind.plural === 'namespaces') await emptyNamespace(name);
          const gone = await discard(kind, key, before);
          if (gone) return gone;
        }
      }
    },
  };
}
