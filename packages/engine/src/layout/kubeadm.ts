import { posix } from 'node:path';
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
import { Machine } from '../machine/Machine';
import { readCertificate } from '../pki/certificate';
import { publicKeyFingerprint } from '../pki/fingerprint';
import {
  captureRoots,
  configurationFiles,
  filesNamedByConfiguration,
} from './captureList';
import {
  ApiServerInstance,
  ControlPlaneNode,
  EtcdInstance,
  LayoutReservation,
} from './ControlPlaneNode';
import { encryptionKeysIn } from './encryptionKeys';
import { flag, flagList } from './flags';
import { DataDirOwner, MAX_CAPTURED_FILE } from './listFiles';
import { filesOn, NodeFiles } from './NodeFiles';
import { wipeFiles } from './readFiles';
import { parseStaticPod, StaticContainer, StaticPod } from './staticPod';

const KUBELET_CONFIG = '/var/lib/kubelet/config.yaml';
const KUBELET_KUBECONFIG = '/etc/kubernetes/kubelet.conf';
/** Where the kubelet keeps it, whatever names it. */
const KUBELET_CERTIFICATE = '/var/lib/kubelet/pki/kubelet-client-current.pem';
const MANIFESTS = '/etc/kubernetes/manifests';

interface Component {
  pod: StaticPod;
  container: StaticContainer;
}

function notKubeadm(machine: Machine, why: string, details = {}) {
  return new ClusterBackupError({
    code: 'layout-not-kubeadm',
    message: `${machine.name} is not a control-plane node as kubeadm sets it up: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: `Check that ${machine.name} is a control-plane node, that its control plane runs as static pods, and that none of its manifests was moved away.`,
    details: { machine: machine.name, ...details },
  });
}

function unreadable(
  machine: Machine,
  path: string,
  why: string,
  cause?: unknown,
) {
  return new ClusterBackupError({
    code: 'manifest-unreadable',
    message: `${path} on ${machine.name} cannot be used: ${why}.`,
    state: NOTHING_CHANGED,
    remedy: `Correct ${path} on ${machine.name}; the kubelet reads the same file.`,
    details: { machine: machine.name, path },
    cause,
  });
}

function parseDocument<T>(
  machine: Machine,
  path: string,
  content: Buffer,
  shape: Shape<T>,
): T {
  let document: unknown;
  try {
    document = parse(content.toString('utf8'));
  } catch (error) {
    throw unreadable(machine, path, 'it is no valid YAML', error);
  }
  try {
    return shape(document, '');
  } catch (error) {
    throw unreadable(machine, path, (error as ShapeProblem).message);
  }
}

const word = optional(
  text({ max: 65536, pattern: /^[^\0]*$/, what: 'text without NUL' }),
);
const kubeletShape = object({ staticPodPath: word });
const kubeletKubeconfigShape = object({
  'current-context': word,
  contexts: optional(
    list(object({ name: word, context: optional(object({ cluster: word })) }), {
      max: 1000,
    }),
  ),
  clusters: optional(
    list(object({ name: word, cluster: optional(object({ server: word })) }), {
      max: 1000,
    }),
  ),
  users: optional(
    list(
      object({
        user: optional(object({ 'client-certificate-data': word })),
      }),
      { max: 1000 },
    ),
  ),
});

/** Static pods of a folder, and the files in it that cannot be read as YAML. */
function parseManifests(files: Map<string, Buffer>, folder: string) {
  const pods: StaticPod[] = [];
  const broken: Array<{ path: string; error: unknown }> = [];
  for (const [path, content] of files) {
    if (posix.dirname(path) !== folder) {
      continue;
    }
    try {
      const pod = parseStaticPod(path, content.toString('utf8'));
      if (pod) {
        pods.push(pod);
      }
    } catch (error) {
      broken.push({ path, error });
    }
  }
  return { pods, broken };
}

/** The server of the current context. */
function serverOf(machine: Machine, path: string, content: Buffer): string {
  const config = parseDocument(machine, path, content, kubeletKubeconfigShape);
  const cluster = config?.contexts?.find(
    ({ name }) => name === config['current-context'],
  )?.context?.cluster;
  const server = (
    config?.clusters?.find(({ name }) => name === cluster) ??
    config?.clusters?.[0]
  )?.cluster?.server;
  if (!server || !URL.canParse(server)) {
    throw unreadable(machine, path, 'it names no API server');
  }
  return server;
}

/** The certificate inside of kubelet.conf, as kubeadm leaves it on the node that it began with. */
function embeddedCertificate(machine: Machine, content: Buffer) {
  const config = parseDocument(
    machine,
    KUBELET_KUBECONFIG,
    content,
    kubeletKubeconfigShape,
  );
  const data = config?.users?.[0]?.user?.['client-certificate-data'];
  return data ? Buffer.from(data, 'base64') : undefined;
}

/** kubelets log in as `system:node:NAME` (Kubernetes, "Using Node Authorization"). */
function nodeNameIn(certificate: Buffer | undefined): string | undefined {
  try {
    const { name } = readCertificate(certificate ?? '');
    return /^system:node:([a-z0-9][a-z0-9.-]*)$/.exec(name)?.[1];
  } catch {
    return undefined;
  }
}

/** A flag's file as a path of the host. */
function hostFile(
  machine: Machine,
  { pod, container }: Component,
  name: string,
): string {
  const value = flag(container.flags, name);
  if (!value) {
    throw unreadable(
      machine,
      pod.manifestPath,
      `container ${container.name} has no --${name}`,
    );
  }
  const path = container.hostPath(value);
  if (!path) {
    throw unreadable(
      machine,
      pod.manifestPath,
      `--${name}=${value} is in no hostPath volume`,
    );
  }
  return path;
}

function optionalPair(container: StaticContainer, cert: string, key: string) {
  const paths = [cert, key].map(name => {
    const value = flag(container.flags, name);
    return value && container.hostPath(value);
  });
  return paths[0] && paths[1] ? { cert: paths[0], key: paths[1] } : undefined;
}

const isLoopback = (url: string) => {
  const { hostname } = new URL(url);
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    hostname.startsWith('127.')
  );
};

function readEtcd(
  machine: Machine,
  component: Component,
): Omit<EtcdInstance, 'uid' | 'gid' | 'mode'> {
  const { pod, container } = component;
  const { flags } = container;
  const fail = (why: string) => unreadable(machine, pod.manifestPath, why);
  if (flags.has('config-file')) {
    throw fail('etcd takes its settings from --config-file, not from flags');
  }
  const urls = (name: string) => {
    const given = flagList(flags, name);
    if (!given.every(url => URL.canParse(url))) {
      throw fail(`--${name} is no list of URLs`);
    }
    return given;
  };
  const name = flag(flags, 'name');
  const listenClientUrls = urls('listen-client-urls');
  const peerUrls = urls('initial-advertise-peer-urls');
  if (!name || listenClientUrls.length === 0 || peerUrls.length === 0) {
    throw fail(
      'etcd needs --name, --listen-client-urls and --initial-advertise-peer-urls',
    );
  }
  const clientUrl = listenClientUrls.find(isLoopback) ?? listenClientUrls[0];
  if (!clientUrl.startsWith('https:')) {
    throw fail(`etcd serves its clients without TLS at ${clientUrl}`);
  }
  const walDir = flag(flags, 'wal-dir');
  const peer = optionalPair(container, 'peer-cert-file', 'peer-key-file');
  return {
    name,
    image: container.image,
    dataDir: hostFile(machine, component, 'data-dir'),
    walDir: walDir && hostFile(machine, component, 'wal-dir'),
    clientUrl,
    listenClientUrls,
    peerUrls,
    advertisedClientUrls: urls('advertise-client-urls'),
    metricsUrl: urls('listen-metrics-urls')[0],
    certificate: {
      ca: hostFile(machine, component, 'trusted-ca-file'),
      serverCert: hostFile(machine, component, 'cert-file'),
      serverKey: hostFile(machine, component, 'key-file'),
      peerCert: peer?.cert,
      peerKey: peer?.key,
    },
    manifestPath: pod.manifestPath,
  };
}

function readApiServer(
  machine: Machine,
  component: Component,
): ApiServerInstance {
  const { pod, container } = component;
  const { flags } = container;
  const encryption = flag(flags, 'encryption-provider-config');
  const advertiseAddress = flag(flags, 'advertise-address');
  return {
    manifestPath: pod.manifestPath,
    image: container.image,
    port: Number(flag(flags, 'secure-port') ?? 6443),
    advertiseAddress:
      advertiseAddress === '0.0.0.0' ? undefined : advertiseAddress,
    etcdServers: flagList(flags, 'etcd-servers').filter(url =>
      URL.canParse(url),
    ),
    etcdClient: optionalPair(container, 'etcd-certfile', 'etcd-keyfile'),
    encryptionProviderConfig:
      encryption && hostFile(machine, component, 'encryption-provider-config'),
    certificate: optionalPair(
      container,
      'tls-cert-file',
      'tls-private-key-file',
    ),
    clientCa: hostFile(machine, component, 'client-ca-file'),
  };
}

/** etcd of its own must be among the servers that the API server uses; else its data is somewhere else. */
function refuseExternalEtcd(
  machine: Machine,
  apiServer: ApiServerInstance,
  etcd: Pick<EtcdInstance, 'listenClientUrls' | 'advertisedClientUrls'> | null,
) {
  const own = new Set(
    [
      ...(etcd?.listenClientUrls ?? []),
      ...(etcd?.advertisedClientUrls ?? []),
    ].map(url => new URL(url).host),
  );
  const loopbackPorts = (etcd?.listenClientUrls ?? [])
    .filter(isLoopback)
    .map(url => new URL(url).port);
  const isOwn = (url: string) =>
    own.has(new URL(url).host) ||
    (isLoopback(url) && loopbackPorts.includes(new URL(url).port));
  if (apiServer.etcdServers.some(isOwn)) {
    return;
  }
  throw new ClusterBackupError({
    code: 'layout-external-etcd',
    message: `The API server of ${
      machine.name
    } keeps its data in an etcd outside of its own node: ${
      apiServer.etcdServers.join(', ') || 'none is named'
    }.`,
    state: NOTHING_CHANGED,
    remedy:
      'Only stacked etcd, a member on every control-plane node, is supported. Back up the external etcd where it runs.',
    details: { machine: machine.name, etcdServers: apiServer.etcdServers },
  });
}

/** As its manifest has it; etcd wants a data directory that no other reads. */
function ownerOf({ runAs }: StaticPod): DataDirOwner {
  return { ...runAs, mode: 0o700 };
}

/** The etcd that keeps Events: a pod of its own, whatever its container is called. */
async function readEtcdEvents(
  machine: Machine,
  pods: StaticPod[],
  nodeFiles: NodeFiles,
): Promise<EtcdInstance | undefined> {
  const pod = pods.find(({ name }) => name === 'etcd-events');
  const container = pod?.containers.find(({ flags }) => flags.has('data-dir'));
  if (!pod || !container) return undefined;
  const etcd = readEtcd(machine, { pod, container });
  const nothing = { roots: ['/dev/null'], excludes: () => true };
  const owner = ownerOf(pod);
  const { dataDir } = await nodeFiles.list(nothing, etcd.dataDir, owner);
  return { ...etcd, ...(dataDir ?? owner) };
}

function imageVersion(image: string): string | undefined {
  return /:v?(\d+\.\d+\.\d+[\w.+-]*)(?:@|$)/.exec(image)?.[1];
}

/**
 * Reads what a control-plane node is from its kubelet's configuration, its static-pod manifests and its PKI, in two
 * or three commands on the machine.
 *
 * @param nodeFiles - where its files are; those that are on the machine by default
 * @throws ClusterBackupError `layout-not-kubeadm`, `manifest-unreadable`, `layout-external-etcd`,
 * `layout-certificate-unreadable`, and those of the machine
 * @public
 */
export async function readControlPlaneNode(
  machine: Machine,
  signal: AbortSignal,
  nodeFiles: NodeFiles = filesOn(machine, signal),
): Promise<ControlPlaneNode> {
  const contents: Buffer[] = [];
  try {
    return await readNode(machine, {
      list: nodeFiles.list,
      async read(paths) {
        const files = await nodeFiles.read(paths);
        contents.push(...files.values());
        return files;
      },
    });
  } finally {
    wipeFiles(contents);
  }
}

async function readNode(
  machine: Machine,
  nodeFiles: NodeFiles,
): Promise<ControlPlaneNode> {
  const files = await nodeFiles.read([
    KUBELET_CONFIG,
    KUBELET_KUBECONFIG,
    KUBELET_CERTIFICATE,
    MANIFESTS,
  ]);
  const kubeletConfig = files.get(KUBELET_CONFIG);
  if (!kubeletConfig) {
    throw notKubeadm(machine, `there is no ${KUBELET_CONFIG}`);
  }
  const kubeletKubeconfig = files.get(KUBELET_KUBECONFIG);
  if (!kubeletKubeconfig) {
    throw notKubeadm(machine, `there is no ${KUBELET_KUBECONFIG}`);
  }
  const staticPodPath =
    parseDocument(machine, KUBELET_CONFIG, kubeletConfig, kubeletShape)
      .staticPodPath || MANIFESTS;
  const manifestsDir = posix.normalize(staticPodPath).replace(/(.)\/$/, '$1');
  const manifests =
    manifestsDir === MANIFESTS ? files : await nodeFiles.read([manifestsDir]);
  const { pods, broken } = parseManifests(manifests, manifestsDir);

  const reservations: LayoutReservation[] = broken.map(({ path }) => ({
    id: 'manifest-unreadable',
    title: 'A static-pod manifest is no valid YAML',
    message: `${path} on ${machine.name} cannot be read; the files it names are not in the backup.`,
    machine: machine.name,
  }));
  const component = (name: string): Component | undefined => {
    const found = pods
      .map(pod => ({
        pod,
        container: pod.containers.find(c => c.name === name)!,
      }))
      .filter(({ pod, container }) => pod.name === name && container)
      .sort(
        (a, b) =>
          Number(b.pod.manifestPath.endsWith(`/${name}.yaml`)) -
          Number(a.pod.manifestPath.endsWith(`/${name}.yaml`)),
      );
    if (found.length > 1) {
      reservations.push({
        id: 'manifest-twice',
        title: 'Two manifests describe the same static pod',
        message: `The kubelet of ${machine.name} runs both: ${found
          .map(({ pod }) => pod.manifestPath)
          .join(', ')}. The first is what was read.`,
        machine: machine.name,
      });
    }
    return found[0];
  };
  const required = (name: string): Component => {
    const found = component(name);
    if (found) {
      return found;
    }
    if (broken.length > 0) {
      throw unreadable(
        machine,
        broken[0].path,
        'it is no valid YAML',
        broken[0].error,
      );
    }
    throw notKubeadm(machine, `no manifest in ${manifestsDir} runs ${name}`, {
      manifestsDir,
    });
  };

  const apiServerComponent = required('kube-apiserver');
  const apiServer = readApiServer(machine, apiServerComponent);
  const etcdComponent = component('etcd');
  if (
    !etcdComponent &&
    broken.length === 0 &&
    !apiServer.etcdServers.some(isLoopback)
  ) {
    refuseExternalEtcd(machine, apiServer, null);
  }
  const { pod: etcdPod, container } = etcdComponent ?? required('etcd');
  const etcd = readEtcd(machine, { pod: etcdPod, container });
  refuseExternalEtcd(machine, apiServer, etcd);
  for (const override of flagList(
    apiServerComponent.container.flags,
    'etcd-servers-overrides',
  )) {
    // Events are gone within the hour; nobody puts them back.
    if (override.startsWith('/events#')) continue;
    reservations.push({
      id: 'etcd-override',
      title: 'Some objects are kept in another etcd',
      message: `The API server of ${machine.name} keeps ${
        override.split('#')[0]
      } in an etcd of its own; these objects are not in the backup.`,
      machine: machine.name,
    });
  }

  const { container: api } = apiServerComponent;
  const frontProxyCa =
    flag(api.flags, 'requestheader-client-ca-file') &&
    hostFile(machine, apiServerComponent, 'requestheader-client-ca-file');
  const signingKey =
    flag(api.flags, 'service-account-key-file') &&
    hostFile(machine, apiServerComponent, 'service-account-key-file');
  const configurations = configurationFiles(pods);
  const roots = captureRoots(manifestsDir, pods);
  const [listing, more] = await Promise.all([
    nodeFiles.list(roots, etcd.dataDir, ownerOf(etcdPod)),
    nodeFiles.read([
      apiServer.clientCa,
      etcd.certificate.ca,
      ...[frontProxyCa, signingKey].filter(path => path !== undefined),
      ...configurations,
    ]),
  ]);
  if (!listing.dataDir) {
    throw notKubeadm(machine, `there is no ${etcd.dataDir}`, {
      dataDir: etcd.dataDir,
    });
  }
  const furtherRoots = [
    ...configurations.flatMap(path =>
      more.has(path)
        ? filesNamedByConfiguration(
            pods,
            path,
            more.get(path)!.toString('utf8'),
          )
        : [],
    ),
    ...listing.targets,
  ].filter(path => !listing.paths.includes(path));
  const further =
    furtherRoots.length > 0
      ? await nodeFiles.list(
          { roots: furtherRoots, excludes: roots.excludes },
          etcd.dataDir,
          ownerOf(etcdPod),
        )
      : undefined;
  for (const path of [...listing.tooLarge, ...(further?.tooLarge ?? [])]) {
    reservations.push({
      id: 'file-left-out',
      title: 'A file is too large for a configuration file',
      message: `${path} on ${machine.name} is larger than ${
        MAX_CAPTURED_FILE >> 20
      } MiB and is not in the backup.`,
      machine: machine.name,
    });
  }

  const fingerprint = (path: string) => {
    try {
      return publicKeyFingerprint(more.get(path) ?? '');
    } catch (error) {
      throw new ClusterBackupError({
        code: 'layout-certificate-unreadable',
        message: `${path} on ${machine.name} ${
          more.has(path) ? 'holds no certificate or key' : 'is not there'
        }, though a manifest names it.`,
        state: NOTHING_CHANGED,
        remedy: `Put the right file at ${path} on ${machine.name}; without it the control plane does not start again either.`,
        details: { machine: machine.name, path },
        cause: error,
      });
    }
  };
  const instance = (found: Component | undefined) =>
    found && {
      manifestPath: found.pod.manifestPath,
      image: found.container.image,
    };
  return {
    machine,
    nodeName: nodeNameIn(
      files.get(KUBELET_CERTIFICATE) ??
        embeddedCertificate(machine, kubeletKubeconfig),
    ),
    manifestsDir,
    etcd: { ...etcd, ...listing.dataDir },
    etcdEvents: await readEtcdEvents(machine, pods, nodeFiles),
    apiServer,
    controllerManager: instance(component('kube-controller-manager')),
    scheduler: instance(component('kube-scheduler')),
    kubernetesVersion: imageVersion(apiServer.image),
    caFingerprint: fingerprint(apiServer.clientCa),
    fingerprints: {
      etcdCa: fingerprint(etcd.certificate.ca),
      frontProxyCa: frontProxyCa && fingerprint(frontProxyCa),
      signingKey: signingKey && fingerprint(signingKey),
      encryptionKeys: encryptionKeysIn(
        more.get(apiServer.encryptionProviderConfig ?? ''),
      ),
    },
    frontServer: serverOf(machine, KUBELET_KUBECONFIG, kubeletKubeconfig),
    images: [
      ...new Set(
        pods.flatMap(({ containers }) => containers.map(({ image }) => image)),
      ),
    ].sort(),
    capture: [...new Set([...listing.paths, ...(further?.paths ?? [])])].sort(),
    reservations,
  };
}
