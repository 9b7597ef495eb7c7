import { createHash, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { encode } from './codec';
import { Etcd } from './etcd';
import { kindNamed } from './kinds';
import { messages } from './messages';
import { Registry } from './registry';
import { asStatusError } from './status';
import { PROTOBUF_MAGIC } from './storedObject';

/**
 * The prefixes of the keys that an API server writes by itself each time it
 * starts, and again while it runs.
 * @public
 */
export const WRITTEN_AT_START: readonly string[] = [
  '/registry/masterleases/',
  '/registry/leases/kube-system/apiserver-',
];

const namespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

/**
 * The keys that an API server writes when it starts and they are not there:
 * on a cluster's first day, and never after a restore.
 * @public
 */
export const CREATED_WHEN_MISSING: readonly string[] = namespaces.map(
  name => `/registry/namespaces/${name}`,
);

/** As the real ones: both are renewed every 10 s; a masterlease lasts 15 s. */
const renewIntervalMs = 10_000;
const masterLeaseSeconds = 15;
const identityLeaseSeconds = 3600;

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** The first 26 characters of the lower-case base32 of a digest. */
function shortHash(text: string) {
  const digest = createHash('sha256').update(text).digest();
  const bits = [...digest]
    .map(byte => byte.toString(2).padStart(8, '0'))
    .join('');
  return Array.from({ length: 26 }, (_, index) =>
    alphabet.charAt(parseInt(bits.slice(index * 5, index * 5 + 5), 2)),
  ).join('');
}

function micros(date: Date) {
  return `${date.toISOString().slice(0, -1)}000Z`;
}

async function unlessThere(creation: Promise<unknown>) {
  try {
    await creation;
  } catch (error) {
    if (asStatusError(error).reason !== 'AlreadyExists') throw error;
  }
}

function masterLeaseKey(address: string) {
  return Buffer.from(`/registry/masterleases/${address}`);
}

async function renewMasterLease(etcd: Etcd, address: string, turn: number) {
  const raw = encode(messages.Endpoints, {
    metadata: { generation: turn },
    subsets: [{ addresses: [{ ip: address }] }],
  });
  const typeMeta = { apiVersion: 'v1', kind: 'Endpoints' };
  const value = Buffer.concat([
    PROTOBUF_MAGIC,
    encode(messages.Unknown, { typeMeta, raw }),
  ]);
  const lease = await etcd.leaseGrant(masterLeaseSeconds);
  await etcd.txn({
    success: [{ put: { key: masterLeaseKey(address), value, lease } }],
  });
}

async function renewIdentityLease(
  registry: Registry,
  holder: { name: string; identity: string },
) {
  const leases = kindNamed('leases');
  const spec = {
    holderIdentity: holder.identity,
    leaseDurationSeconds: identityLeaseSeconds,
    renewTime: micros(new Date()),
  };
  try {
    await registry.update(leases, 'kube-system', holder.name, current => {
      const { resourceVersion: _, ...metadata } = current.metadata;
      return { ...current, metadata, spec };
    });
  } catch (error) {
    if (asStatusError(error).code !== 404) throw error;
    await unlessThere(
      registry.create(leases, 'kube-system', {
        metadata: {
          name: holder.name,
          labels: {
            'apiserver.kubernetes.io/identity': 'kube-apiserver',
            'kubernetes.io/hostname': hostname(),
          },
        },
        spec,
      }),
    );
  }
}

export interface OwnWrites {
  /** begins, and goes on until told to stop */
  start(): void;
  /** true when everything has been written once */
  done(): boolean;
  /** takes the address out of the API servers in service */
  stop(): Promise<void>;
}

/** What an API server writes by itself, as soon as etcd lets it. */
export function prepareOwnWrites(
  etcd: Etcd,
  registry: Registry,
  advertiseAddress: string,
): OwnWrites {
  const hash = shortHash(`${hostname()} ${advertiseAddress}`);
  const holder = {
    name: `apiserver-${hash}`,
    identity: `apiserver-${hash}_${randomUUID()}`,
  };
  let turn = 0;
  let written = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  async function writeAll() {
    if (!written) {
      for (const name of namespaces) {
        await unlessThere(
          registry.create(kindNamed('namespaces'), '', { metadata: { name } }),
        );
      }
    }
    turn += 1;
    await renewMasterLease(etcd, advertiseAddress, turn);
    await renewIdentityLease(registry, holder);
    written = true;
  }

  function run() {
    running = writeAll()
      .catch(() => {}) // etcd is away; its check shows in /readyz
      .then(() => {
        if (!stopped) timer = setTimeout(run, written ? renewIntervalMs : 300);
      });
  }

  return {
    start: run,
    done: () => written,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
      await etcd
        .txn({
          success: [{ deleteRange: { key: masterLeaseKey(advertiseAddress) } }],
          timeoutMs: 1_000,
        })
        .catch(() => {}); // the lease runs out by itself
    },
  };
}
