import { posix } from 'node:path';
import { parse } from 'yaml';
import {
  integer,
  list,
  object,
  optional,
  Shape,
  ShapeProblem,
  text,
} from '../archive/jsonShape';
import { MAX_ID } from '../archive/limits';
import { Flags, parseFlags } from './flags';

/** A container of a static pod, as far as a backup needs to know it. */
export interface StaticContainer {
  name: string;
  image: string;
  flags: Flags;
  /** Where a path inside of the container is on the host; `undefined` when no hostPath volume holds it. */
  hostPath(containerPath: string): string | undefined;
}

/** What a manifest in the kubelet's folder describes. */
export interface StaticPod {
  manifestPath: string;
  name: string;
  containers: StaticContainer[];
  /** Paths of all its hostPath volumes. */
  hostPaths: string[];
  /** Whom its containers run as; root where it does not say. */
  runAs: { uid: number; gid: number };
}

/** YAML says "nothing" where a key stands without a value, and the kubelet takes it so. */
const maybe = <T>(shape: Shape<T>) =>
  optional((value, where) =>
    value === null ? undefined : shape(value, where),
  );
const some = <T>(shape: Shape<T>) => maybe(list(shape, { max: 1000 }));
/** No argument of a command carries NUL. */
const word = maybe(
  text({ max: 65536, pattern: /^[^\0]*$/, what: 'text without NUL' }),
);
const id = maybe(integer(0, MAX_ID));

const containerShape = object({
  name: word,
  image: word,
  command: some(scalar),
  args: some(scalar),
  env: some(object({ name: word, value: maybe(scalar) })),
  volumeMounts: some(object({ name: word, mountPath: word, subPath: word })),
});

const podShape = object({
  metadata: object({ name: text({ max: 253 }) }),
  spec: object({
    securityContext: maybe(object({ runAsUser: id, runAsGroup: id })),
    containers: list(containerShape, { max: 1000 }),
    volumes: some(
      object({ name: word, hostPath: maybe(object({ path: word })) }),
    ),
  }),
});

type ContainerDocument = ReturnType<typeof containerShape>;

function scalar(value: unknown, where: string): string {
  const isText = typeof value !== 'object' && !String(value).includes('\0');
  if (isText) return String(value);
  throw new ShapeProblem(`${where} is no text without NUL`);
}

const inside = (path: string, folder: string) =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

/** etcd takes every flag from the environment too, `ETCD_DATA_DIR` for `--data-dir`; the command line wins. */
function etcdFlagsOfEnvironment(container: ContainerDocument): string[] {
  return (container.env ?? [])
    .filter(
      ({ name, value }) => name?.startsWith('ETCD_') && value !== undefined,
    )
    .map(
      ({ name, value }) =>
        `--${name!
          .slice('ETCD_'.length)
          .toLowerCase()
          .replaceAll('_', '-')}=${value}`,
    );
}

/**
 * Reads one manifest. `undefined` when it is no pod.
 *
 * @throws YAMLParseError when it is no YAML, ShapeProblem when it is no such pod
 */
export function parseStaticPod(
  manifestPath: string,
  manifest: string,
): StaticPod | undefined {
  const found: unknown = parse(manifest);
  if (Object(found).kind !== 'Pod') return undefined;
  const document = podShape(found, '');
  const volumes = new Map(
    (document.spec.volumes ?? [])
      .filter(volume => volume.name && volume.hostPath?.path)
      .map(volume => [volume.name!, posix.normalize(volume.hostPath!.path!)]),
  );
  const containers = document.spec.containers.map(container => {
    const mounts = (container.volumeMounts ?? [])
      .filter(mount => mount.mountPath && volumes.has(mount.name ?? ''))
      .map(mount => ({
        at: posix.join('/', mount.mountPath!).replace(/(.)\/$/, '$1'),
        from: posix.join(volumes.get(mount.name!)!, mount.subPath ?? ''),
      }))
      .sort((a, b) => b.at.length - a.at.length);
    return {
      name: container.name ?? '',
      image: container.image ?? '',
      flags: parseFlags([
        ...etcdFlagsOfEnvironment(container),
        ...(container.command ?? []),
        ...(container.args ?? []),
      ]),
      hostPath(containerPath: string) {
        const path = posix.normalize(containerPath);
        const mount = mounts.find(({ at }) => inside(path, at));
        return mount && posix.join(mount.from, path.slice(mount.at.length));
      },
    };
  });
  return {
    manifestPath,
    name: document.metadata.name,
    containers,
    hostPaths: [...volumes.values()],
    runAs: {
      uid: document.spec.securityContext?.runAsUser ?? 0,
      gid: document.spec.securityContext?.runAsGroup ?? 0,
    },
  };
}
