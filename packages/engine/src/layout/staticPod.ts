import { posix } from 'node:path';
import { parse } from 'yaml';
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

interface PodDocument {
  kind?: unknown;
  metadata?: { name?: unknown };
  spec?: {
    securityContext?: { runAsUser?: number; runAsGroup?: number };
    containers?: ContainerDocument[];
    volumes?: Array<{ name?: string; hostPath?: { path?: string } }>;
  };
}

interface ContainerDocument {
  name?: string;
  image?: string;
  command?: unknown[];
  args?: unknown[];
  env?: Array<{ name?: string; value?: unknown }>;
  volumeMounts?: Array<{
    name?: string;
    mountPath?: string;
    subPath?: string;
  }>;
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
 * @throws YAMLParseError when it is no YAML
 */
export function parseStaticPod(
  manifestPath: string,
  text: string,
): StaticPod | undefined {
  const document = parse(text) as PodDocument | null;
  if (
    document?.kind !== 'Pod' ||
    typeof document.metadata?.name !== 'string' ||
    !Array.isArray(document.spec?.containers)
  ) {
    return undefined;
  }
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
        ...[...(container.command ?? []), ...(container.args ?? [])].map(
          String,
        ),
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
