import { posix } from 'node:path';
import { parse } from 'yaml';
import { StaticPod } from './staticPod';

/** What a kubeadm node has whatever its manifests say. */
const FIXED = [
  '/etc/kubernetes/pki',
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/super-admin.conf',
  '/etc/kubernetes/controller-manager.conf',
  '/etc/kubernetes/scheduler.conf',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
  '/var/lib/kubelet/instance-config.yaml',
  '/var/lib/kubelet/pki',
  '/etc/systemd/system/kubelet.service',
  '/etc/systemd/system/kubelet.service.d',
  '/usr/lib/systemd/system/kubelet.service.d',
  '/etc/default/kubelet',
  '/etc/sysconfig/kubelet',
  '/etc/containerd/config.toml',
  '/etc/containerd/certs.d',
  '/etc/cni/net.d',
];

/** Belongs to the operating system or grows without end. */
const NEVER = [
  '/bin',
  '/boot',
  '/dev',
  '/etc/ca-certificates',
  '/etc/pki',
  '/etc/ssl/certs',
  '/lib/modules',
  '/proc',
  '/run',
  '/sys',
  '/tmp',
  '/usr/libexec',
  '/usr/local/share/ca-certificates',
  '/usr/share/ca-certificates',
  '/var/lib/containerd',
  '/var/lib/kubelet/plugins',
  '/var/lib/kubelet/pods',
  '/var/log',
  '/var/run',
];

/** Mounted whole by some add-ons; one of these is never meant as "keep all of it". */
const TOO_WIDE = [
  '/',
  '/etc',
  '/etc/kubernetes',
  '/home',
  '/opt',
  '/root',
  '/usr',
  '/var',
  '/var/lib',
  '/var/lib/kubelet',
];

const DATA_FLAGS = ['data-dir', 'wal-dir', 'log-dir'];

const under = (path: string, folder: string) =>
  path === folder || path.startsWith(`${folder}/`);

function kindOf(flagName: string): 'data' | 'log' | 'kept' {
  if (DATA_FLAGS.includes(flagName)) {
    return 'data';
  }
  return /(^log-file|-log-path)$/.test(flagName) ? 'log' : 'kept';
}

function* filesNamedByFlags(pod: StaticPod) {
  for (const container of pod.containers) {
    for (const [name, values] of container.flags) {
      for (const part of values.flatMap(value => value.split(','))) {
        const path = part.startsWith('/') && container.hostPath(part);
        if (path) {
          yield { path, kind: kindOf(name) };
        }
      }
    }
  }
}

/** A log and what rotation makes of it: `audit-2026-01-31T12-00-00.000.log` beside `audit.log`. */
function isLog(path: string, log: string) {
  const extension = posix.extname(log);
  const stem = log.slice(0, log.length - extension.length);
  return (
    path === log ||
    (path.startsWith(`${stem}-2`) &&
      path.replace(/\.gz$/, '').endsWith(extension))
  );
}

/** Which paths a backup looks at, and which it passes over. */
export interface CaptureRoots {
  roots: string[];
  excludes(path: string): boolean;
}

/**
 * Puts together what to keep of a node: the layout's own files, and every file and folder that its static pods mount
 * or name in a flag, without data, logs and what belongs to the operating system.
 */
export function captureRoots(
  manifestsDir: string,
  pods: readonly StaticPod[],
): CaptureRoots {
  const named = pods.flatMap(pod => [...filesNamedByFlags(pod)]);
  const ofKind = (wanted: string) =>
    named.filter(({ kind }) => kind === wanted).map(({ path }) => path);
  const folders = [...NEVER, ...ofKind('data')];
  const logs = ofKind('log');
  const excludes = (path: string) =>
    folders.some(folder => under(path, folder)) ||
    logs.some(log => isLog(path, log));

  const roots = new Set([...FIXED, manifestsDir]);
  for (const path of [
    ...ofKind('kept'),
    ...pods.flatMap(pod => pod.hostPaths),
  ]) {
    const holdsData = folders.some(folder => under(folder, path));
    if (!TOO_WIDE.includes(path) && !holdsData && !excludes(path)) {
      roots.add(path);
    }
  }
  return { roots: [...roots], excludes };
}

/** Files that a pod's own configuration files may name: those that a `--...config` flag gives. */
export function configurationFiles(pods: readonly StaticPod[]): string[] {
  return pods.flatMap(pod =>
    pod.containers.flatMap(container =>
      [...container.flags]
        .filter(([name]) => /(config|config-file|kubeconfig)$/.test(name))
        .flatMap(([, values]) => values)
        .map(value => container.hostPath(value))
        .filter(path => path !== undefined),
    ),
  );
}

/** Every text in a document, with the key that it stands under. */
function* texts(value: unknown, key = ''): Generator<[string, string]> {
  if (typeof value === 'string') {
    yield [key, value];
  } else if (value && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      yield* texts(inner, Array.isArray(value) ? key : name);
    }
  }
}

/**
 * Host paths that a configuration file (admission, kubeconfig, encryption, authentication) names in turn; a `path`
 * may be relative to the file, as in an AdmissionConfiguration.
 */
export function filesNamedByConfiguration(
  pods: readonly StaticPod[],
  file: string,
  content: string,
): string[] {
  let document: unknown;
  try {
    document = parse(content);
  } catch {
    return [];
  }
  const found: string[] = [];
  for (const [key, text] of texts(document)) {
    if (text.startsWith('/')) {
      for (const { containers } of pods) {
        for (const container of containers) {
          const path = container.hostPath(text);
          if (path) {
            found.push(path);
          }
        }
      }
    } else if (key === 'path' && !text.includes(':')) {
      found.push(posix.join(posix.dirname(file), text));
    }
  }
  return found;
}
