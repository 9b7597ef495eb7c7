import {
  integer,
  list,
  object,
  oneOf,
  optional,
  parseJson,
  Shape,
  ShapeProblem,
  text,
} from './jsonShape';
import { archiveNewerFormat } from './archiveErrors';

/** One of the machines that members of etcd run on. @public */
export interface DescribedNode {
  name: string;
  address: string;
  /** SSH's, where it is not 22. */
  port?: number;
  /** Who logged in. */
  user?: string;
  /** A known_hosts line without the host names: `ssh-ed25519 AAAA...`. */
  hostKey: string;
  etcd: {
    name: string;
    peerUrls: string[];
    clientUrls: string[];
    dataDir: string;
  };
}

/** A machine that no member runs on. @public */
export interface DescribedWorker {
  name: string;
  address: string;
  port?: number;
  user?: string;
  hostKey: string;
}

/** A user cluster that the cluster manages. @public */
export interface ManagedCluster {
  name: string;
  namespace: string;
  /** Of its Cluster resource. */
  generation: number;
  /** SHA-256, hex, of its spec as canonical JSON (RFC 8785). */
  specSha256: string;
}

/** Which keys of the cluster an archive holds in its Secrets; nothing of the keys themselves. @public */
export interface DescribedKeys {
  /** The SSH key that a restore out of the archive logs in with. */
  ssh?: {
    /** `NAMESPACE/NAME` of its Secret. */
    secret: string;
    /** Of its public half, as ssh-keygen prints it: `SHA256:...`. */
    fingerprint: string;
  };
  gcp: DescribedGcpKey[];
}

/** The key of a Google service account. @public */
export interface DescribedGcpKey {
  /** `NAMESPACE/NAME` of its Secret. */
  secret: string;
  /** `client_email`. */
  account: string;
  /** `private_key_id`: its name, as Google has it. */
  keyId?: string;
}

/** Something true about a backup that a person should know. @public */
export interface Reservation {
  /** Stable and kebab-case. */
  id: string;
  title: string;
  message: string;
  machine?: string;
}

/**
 * What an archive is of: `backup.json`, its first entry.
 *
 * @public
 */
export interface Description {
  formatVersion: 1;
  cluster: {
    name: string;
    layout: string;
    /** Of the layout `gdc`: who manages it. */
    type?: string;
    /** SHA-256, hex, of the SubjectPublicKeyInfo of the cluster's certificate authority. */
    caFingerprint: string;
    kubeSystemUid?: string;
    /** Of the layout `gdc`: the user clusters that it manages, where it can manage any. */
    manages?: ManagedCluster[];
    /** Of a user cluster of the layout `gdc`: the name of the cluster that manages it. */
    managedBy?: string;
  };
  /** ISO 8601, UTC. */
  createdAt: string;
  createdBy: { engine: string };
  /** `before-restore`: it holds what a restore was about to replace. */
  occasion?: string;
  /** The file's own name, where a person chose it. */
  name?: string;
  versions: {
    kubernetes?: string;
    etcd: string;
    /** Of the layout `gdc`: its `anthosBareMetalVersion`. */
    gdc?: string;
  };
  /** Of the layout `gdc`. */
  keys?: DescribedKeys;
  nodes: DescribedNode[];
  workers: DescribedWorker[];
  snapshot: {
    /** The member it was taken from. */
    member: string;
    /** Bytes, the trailing hash included. */
    size: number;
  };
  reservations: Reservation[];
}

/** Names of machines are parts of paths in the archive. */
const machineName = text({
  max: 253,
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
  what: 'name of a machine (letters, digits, . _ -)',
});
const hex256 = text({ pattern: /^[0-9a-f]{64}$/, what: 'SHA-256 in hex' });
const urls = list(text(), { max: 100 });
const machine = {
  name: machineName,
  address: text({ max: 255 }),
  port: optional(integer(1, 65_535)),
  user: optional(text({ max: 255 })),
  hostKey: text({ max: 16 * 1024 }),
};

const descriptionShape = object({
  formatVersion: oneOf(1),
  cluster: object({
    name: text({ max: 253, pattern: /./, what: 'name' }),
    layout: text({ max: 100, pattern: /^[a-z0-9-]+$/, what: 'layout' }),
    type: optional(
      text({ max: 100, pattern: /^[a-z0-9-]+$/, what: 'type of a cluster' }),
    ),
    caFingerprint: hex256,
    kubeSystemUid: optional(text({ max: 100 })),
    managedBy: optional(text({ max: 253 })),
    manages: optional(
      list(
        object({
          name: text({ max: 253 }),
          namespace: text({ max: 253 }),
          generation: integer(0, Number.MAX_SAFE_INTEGER),
          specSha256: hex256,
        }),
        { max: 10_000 },
      ),
    ),
  }),
  createdAt: instant,
  createdBy: object({ engine: text({ max: 100 }) }),
  occasion: optional(text({ max: 100 })),
  name: optional(text({ max: 200 })),
  versions: object({
    kubernetes: optional(text({ max: 100 })),
    etcd: text({ max: 100 }),
    gdc: optional(text({ max: 100 })),
  }),
  keys: optional(
    object({
      ssh: optional(
        object({
          secret: text(),
          fingerprint: text({
            pattern: /^SHA256:[A-Za-z0-9+/]{43}$/,
            what: 'fingerprint of a key (SHA256:...)',
          }),
        }),
      ),
      gcp: list(
        object({
          secret: text(),
          account: text(),
          keyId: optional(text()),
        }),
        { max: 1_000 },
      ),
    }),
  ),
  nodes: list(
    object({
      ...machine,
      etcd: object({
        name: text(),
        peerUrls: urls,
        clientUrls: urls,
        dataDir: text({ max: 4096 }),
      }),
    }),
    { min: 1, max: 100 },
  ),
  workers: list(object(machine), { max: 10_000 }),
  snapshot: object({
    member: text(),
    size: integer(1, Number.MAX_SAFE_INTEGER),
  }),
  reservations: list(
    object({
      id: text({ max: 200 }),
      title: text(),
      message: text({ max: 16 * 1024 }),
      machine: optional(text()),
    }),
    { max: 10_000 },
  ),
});

export const description: Shape<Description> = (value, where) => {
  const found = descriptionShape(value, where);
  const names = new Set<string>();
  for (const { name } of [...found.nodes, ...found.workers]) {
    if (names.has(name)) {
      throw new ShapeProblem(`two machines are named ${name}`);
    }
    names.add(name);
  }
  return found;
};

/** Reads `backup.json`, or the same inside a summary. */
export function parseDescription(bytes: Buffer): Description {
  refuseNewerFormat(bytes, 'The archive');
  return parseJson(bytes, description);
}

/** A later format may differ in every other field, so this one is looked at before any. */
export function refuseNewerFormat(bytes: Buffer, what: string) {
  const { formatVersion } = parseJson(
    bytes,
    object({ formatVersion: integer(1, Number.MAX_SAFE_INTEGER) }),
  );
  if (formatVersion > 1) {
    throw archiveNewerFormat(what, formatVersion);
  }
}

function instant(value: unknown, where: string): string {
  const found = text({
    max: 40,
    pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/,
    what: 'time in UTC (2006-01-02T15:04:05Z)',
  })(value, where);
  if (Number.isNaN(Date.parse(found))) {
    throw new ShapeProblem(`${where} is no time`);
  }
  return found;
}
