import { parse } from 'yaml';
import {
  list,
  object,
  optional,
  Shape,
  ShapeProblem,
  text,
} from '../archive/jsonShape';
import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

/** What a kubeconfig says about reaching its cluster; kept in memory only. */
export interface KubernetesCredentials {
  server: string;
  ca: string;
  cert: string;
  key: string;
}

/** A base64 key or chain of certificates is far from this. */
const MAX_DATA = 1 << 20;

const name = text({ max: 4096 });
const data = optional(text({ max: MAX_DATA }));
const anything = optional<unknown>(value => value);
const entries = <T>(entry: Shape<T>) => list(entry, { max: 1000 });

const kubeconfigShape = object({
  'current-context': name,
  contexts: entries(
    object({
      name,
      context: object({ cluster: optional(name), user: optional(name) }),
    }),
  ),
  clusters: entries(
    object({
      name,
      cluster: object({
        server: optional(name),
        'certificate-authority-data': data,
        'certificate-authority': anything,
        'insecure-skip-tls-verify': anything,
        'proxy-url': anything,
      }),
    }),
  ),
  users: entries(
    object({
      name,
      user: object({
        'client-certificate-data': data,
        'client-key-data': data,
        'client-certificate': anything,
        'client-key': anything,
        'auth-provider': anything,
        exec: anything,
        tokenFile: anything,
      }),
    }),
  ),
});

/** What would run programs, read files or trust others where this runs; whoever writes a kubeconfig chooses them. */
const REFUSED = [
  'exec',
  'auth-provider',
  'tokenFile',
  'client-certificate',
  'client-key',
  'certificate-authority',
  'proxy-url',
  'insecure-skip-tls-verify',
];

const decode = (base64: string | undefined) =>
  base64 === undefined
    ? undefined
    : Buffer.from(base64, 'base64').toString('utf8');

/**
 * Reads the current context of a kubeconfig that has its certificates inside, as those of kubeadm have. What would make us run a program, read a
 * file, go through a proxy or trust anybody is refused.
 *
 * @param from - where it comes from, for messages
 * @throws ClusterBackupError `kubeconfig-unreadable`
 */
export function readKubeconfig(
  source: string,
  from: string,
): KubernetesCredentials {
  const fail = (why: string) =>
    new ClusterBackupError({
      code: 'kubeconfig-unreadable',
      message: `The kubeconfig ${from} cannot be used: ${why}.`,
      state: NOTHING_CHANGED,
      remedy:
        'Make a new one with: kubeadm init phase kubeconfig admin (or super-admin).',
      details: { from },
    });
  let parsed: unknown;
  try {
    parsed = parse(source);
  } catch {
    // A parser's message quotes the text, which holds a key.
    throw fail('it is no valid YAML');
  }
  let document: ReturnType<typeof kubeconfigShape>;
  try {
    document = kubeconfigShape(parsed, '');
  } catch (error) {
    // It says where, not what.
    throw fail((error as ShapeProblem).message);
  }
  const context = document.contexts.find(
    each => each.name === document['current-context'],
  )?.context;
  const cluster = document.clusters.find(
    each => each.name === context?.cluster,
  )?.cluster;
  const user = document.users.find(each => each.name === context?.user)?.user;
  const refused = REFUSED.filter(key =>
    Boolean({ ...cluster, ...user }[key as 'exec']),
  );
  if (refused.length) {
    throw fail(
      `it has ${refused.join(', ')}, and only what it holds itself is used`,
    );
  }
  const ca = decode(cluster?.['certificate-authority-data']);
  const cert = decode(user?.['client-certificate-data']);
  const key = decode(user?.['client-key-data']);
  const server = cluster?.server ?? '';
  if (!server.startsWith('https://') || !URL.canParse(server)) {
    throw fail('its current context names no server with https');
  }
  if (!ca || !cert || !key) {
    throw fail('it holds no certificate authority, client certificate and key');
  }
  return { server, ca, cert, key };
}
