import { createHash } from 'node:crypto';

/** Where etcd's own tool can be asked; a node of the lab is such a place. */
export interface Asked {
  etcdctl(args: string[]): Promise<{ stdout: string }>;
}

/** What etcd says of one key, as its own tool prints it. */
export interface KeyFacts {
  valueSha256: string;
  version: number;
  createRevision: number;
  modRevision: number;
}

/** Keys written without anybody's doing: leases, events, Nodes' status, and what an API server writes at its start. */
export const WRITTEN_BY_ITSELF = [
  '/registry/leases/',
  '/registry/masterleases/',
  '/registry/events/',
  '/registry/minions/',
  '/registry/ranges/',
  '/registry/services/endpoints/default/kubernetes',
  '/registry/endpointslices/default/kubernetes',
];

const isOurs = (key: string) =>
  !WRITTEN_BY_ITSELF.some(prefix => key.startsWith(prefix));

/** Every key under /registry at a revision (the newest by default), read by the real etcdctl from one member. */
export async function contentsAt(
  member: Asked,
  revision = 0,
): Promise<Map<string, KeyFacts>> {
  const { stdout } = await member.etcdctl([
    'get',
    '/registry/',
    '--prefix',
    '--write-out=json',
    ...(revision ? [`--rev=${revision}`] : []),
  ]);
  const { kvs = [] } = JSON.parse(stdout) as {
    kvs?: Array<{
      key: string;
      value?: string;
      version: number;
      create_revision: number;
      mod_revision: number;
    }>;
  };
  const contents = new Map<string, KeyFacts>();
  for (const kv of kvs) {
    const key = Buffer.from(kv.key, 'base64').toString();
    if (!isOurs(key)) continue;
    contents.set(key, {
      valueSha256: createHash('sha256')
        .update(kv.value ?? '', 'base64')
        .digest('hex'),
      version: kv.version,
      createRevision: kv.create_revision,
      modRevision: kv.mod_revision,
    });
  }
  return contents;
}

/** Differences, in words; none when the two are the same. */
export function differences(
  expected: Map<string, KeyFacts>,
  found: Map<string, KeyFacts>,
): string[] {
  const told: string[] = [];
  for (const [key, facts] of expected) {
    const other = found.get(key);
    if (!other) told.push(`${key} is missing`);
    else if (JSON.stringify(facts) !== JSON.stringify(other)) {
      told.push(
        `${key} is ${JSON.stringify(other)}, was ${JSON.stringify(facts)}`,
      );
    }
  }
  for (const key of found.keys()) {
    if (!expected.has(key)) told.push(`${key} should not be there`);
  }
  return told;
}
