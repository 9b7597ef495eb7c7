import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { apiServerFiles } from '../gdc/apiServerFiles';
import { gdcManifests, loadBalancerImages } from '../gdc/manifests';
import { ofApiServer, owned, Ownership } from '../gdc/rootless';
import { Certified } from '../kubeadm/certificate';
import {
  kubeadmFlags,
  kubeletConfig,
  kubeletDropIn,
} from '../kubeadm/kubeletFiles';
import { kubeconfig } from '../kubeadm/kubeconfig';
import {
  etcdImage,
  image,
  kubeadmManifests,
  manifestText,
} from '../kubeadm/manifests';
import {
  ClusterPki,
  createKubeletPki,
  createNodePki,
  NodePki,
} from '../kubeadm/pki';
import {
  ClusterPlan,
  controlPlane,
  frontServer,
  kubernetesPrograms,
  MachinePlan,
} from '../kubeadm/plan';
import { IMAGES_FILE, KUBELET_VERSION_FILE } from '../node/installed';
import { Login, sshdConfig, SshKeys } from './ssh';

const run = promisify(execFile);

/** What of the machine's own /etc programs need in order to run; nothing secret is among it. */
const sharedConfiguration = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'debian_version',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'login.defs',
  'nsswitch.conf',
  'os-release',
  'profile',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
];

interface Entry {
  mode?: number;
  owner?: number;
}

/** Writes into the root directory of one node, as it lies on this machine's disk. */
class NodeRoot {
  constructor(readonly directory: string) {}

  async file(
    path: string,
    text: string,
    { mode = 0o644, owner = 0 }: Entry = {},
  ) {
    const target = join(this.directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text, { mode });
    await chmod(target, mode);
    if (owner) await chown(target, owner, owner);
  }

  async folder(path: string, { mode = 0o755, owner = 0 }: Entry = {}) {
    const target = join(this.directory, path);
    await mkdir(target, { recursive: true });
    await chmod(target, mode);
    if (owner) await chown(target, owner, owner);
  }

  async own(path: string, { user, group, mode }: Ownership) {
    const target = join(this.directory, path);
    await chown(target, user, group);
    await chmod(target, mode);
  }

  async link(path: string, target: string) {
    await mkdir(dirname(join(this.directory, path)), { recursive: true });
    await symlink(target, join(this.directory, path));
  }
}

/** All that is on a node's disk before it starts, without etcd's data. */
export async function writeNodeFiles(options: {
  root: string;
  cluster: ClusterPlan;
  node: MachinePlan;
  pki: ClusterPki;
  login: Login;
  keys: SshKeys;
  hostKey: { key: string; publicKey: string };
  controlPlanePrograms: boolean;
}): Promise<void> {
  const { cluster, node, pki } = options;
  const root = new NodeRoot(options.root);
  await writeSystem(root, cluster, node);
  await writeLogin(root, options.login, options.keys, options.hostKey);
  await writeKubelet(root, cluster, node, pki);
  if (node.role === 'worker') {
    await root.folder('/etc/kubernetes/manifests', { mode: 0o700 });
    await root.file('/etc/kubernetes/pki/ca.crt', pki.ca.certificate);
    return;
  }
  await writeControlPlane(
    root,
    cluster,
    node,
    pki,
    options.controlPlanePrograms,
  );
}

async function writeSystem(
  root: NodeRoot,
  cluster: ClusterPlan,
  node: MachinePlan,
) {
  for (const folder of [
    ...['/proc', '/sys', '/dev', '/run', '/mnt', '/srv', '/opt', '/usr'],
    ...['/var/lib', '/var/log/pods', '/var/cache', '/etc/ssh', '/etc/ssl'],
  ]) {
    await root.folder(folder);
  }
  await root.folder('/tmp', { mode: 0o1777 });
  await root.folder('/var/tmp', { mode: 0o1777 });
  await root.folder('/root', { mode: 0o700 });
  await root.folder('/home');
  await root.link('/var/run', '/run');
  const present = sharedConfiguration.filter(name =>
    existsSync(join('/etc', name)),
  );
  await run(
    'cp',
    [
      '-a',
      '--no-preserve=ownership',
      '--parents',
      ...present,
      join(root.directory, 'etc'),
    ],
    { cwd: '/etc' },
  );
  await root.file('/etc/hostname', `${node.name}\n`);
  await root.file(
    '/etc/hosts',
    [
      '127.0.0.1 localhost',
      '::1 localhost',
      ...cluster.machines.map(({ address, name }) => `${address} ${name}`),
      '',
    ].join('\n'),
  );
  await root.file(
    IMAGES_FILE,
    [
      etcdImage(cluster),
      ...kubernetesPrograms.map(name => image(cluster, name)),
      ...(cluster.flavor === 'gdc' ? loadBalancerImages(cluster) : []),
      '',
    ].join('\n'),
  );
  await root.file(KUBELET_VERSION_FILE, cluster.kubernetesVersion);
  await root.file('/etc/machine-id', `${machineId(node)}\n`, { mode: 0o444 });
}

function machineId(node: MachinePlan): string {
  return Buffer.from(node.name.padEnd(16, '-').slice(0, 16)).toString('hex');
}

async function writeLogin(
  root: NodeRoot,
  login: Login,
  keys: SshKeys,
  hostKey: { key: string; publicKey: string },
) {
  const users = [
    'root:x:0:0:root:/root:/bin/bash',
    'sshd:x:101:65534::/run/sshd:/usr/sbin/nologin',
    'ops:x:1000:1000:ops:/home/ops:/bin/bash',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  ];
  await root.file('/etc/passwd', `${users.join('\n')}\n`);
  await root.file(
    '/etc/group',
    'root:x:0:\ntty:x:5:\ndisk:x:6:\nshadow:x:42:\nops:x:1000:\nnogroup:x:65534:\n',
  );
  await root.file(
    '/etc/shadow',
    `${users
      .map(user => `${user.split(':')[0]}:*:20000:0:99999:7:::`)
      .join('\n')}\n`,
    { mode: 0o640 },
  );
  await root.file(
    '/etc/sudoers',
    'Defaults env_reset\nDefaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n',
    { mode: 0o440 },
  );
  await root.folder('/etc/sudoers.d', { mode: 0o750 });
  for (const service of ['sudo', 'sudo-i', 'other']) {
    await root.file(
      `/etc/pam.d/${service}`,
      'auth required pam_deny.so\naccount required pam_permit.so\nsession required pam_permit.so\n',
    );
  }
  await root.folder('/home/ops', { mode: 0o700, owner: 1000 });
  const owner = login === 'sudo' ? 1000 : 0;
  const home = login === 'sudo' ? '/home/ops' : '/root';
  if (login === 'sudo') {
    await root.file('/etc/sudoers.d/ops', 'ops ALL=(ALL) NOPASSWD: ALL\n', {
      mode: 0o440,
    });
  }
  await root.folder(`${home}/.ssh`, { mode: 0o700, owner });
  await root.file(`${home}/.ssh/authorized_keys`, keys.publicKey, {
    mode: 0o600,
    owner,
  });
  await root.file('/etc/ssh/ssh_host_ed25519_key', hostKey.key, {
    mode: 0o600,
  });
  await root.file('/etc/ssh/ssh_host_ed25519_key.pub', hostKey.publicKey);
  await root.file('/etc/ssh/sshd_config', sshdConfig(login));
}

async function writeKubelet(
  root: NodeRoot,
  cluster: ClusterPlan,
  node: MachinePlan,
  pki: ClusterPki,
) {
  const { client, serving } = await createKubeletPki(node, pki);
  const stamp = new Date()
    .toISOString()
    .slice(0, 19)
    .replace('T', '-')
    .replace(/:/g, '-');
  const folder = '/var/lib/kubelet/pki';
  await root.folder('/var/lib/kubelet', { mode: 0o700 });
  await root.file('/var/lib/kubelet/config.yaml', kubeletConfig);
  await root.file('/var/lib/kubelet/kubeadm-flags.env', kubeadmFlags);
  await root.folder(folder);
  await root.file(
    `${folder}/kubelet-client-${stamp}.pem`,
    client.certificate + client.key,
    { mode: 0o600 },
  );
  await root.link(
    `${folder}/kubelet-client-current.pem`,
    `${folder}/kubelet-client-${stamp}.pem`,
  );
  await root.file(`${folder}/kubelet.crt`, serving.certificate);
  await root.file(`${folder}/kubelet.key`, serving.key, { mode: 0o600 });
  await root.file('/etc/default/kubelet', 'KUBELET_EXTRA_ARGS=\n');
  await root.file(
    '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf',
    kubeletDropIn,
  );
  await root.file(
    '/etc/kubernetes/kubelet.conf',
    kubeconfig({
      server: frontServer(cluster),
      ca: pki.ca.certificate,
      user: `system:node:${node.name}`,
      credentials: {
        certificateFile: `${folder}/kubelet-client-current.pem`,
        keyFile: `${folder}/kubelet-client-current.pem`,
      },
    }),
    { mode: 0o600 },
  );
}

async function writeControlPlane(
  root: NodeRoot,
  cluster: ClusterPlan,
  node: MachinePlan,
  pki: ClusterPki,
  programs: boolean,
) {
  const own = await createNodePki(cluster, node, pki);
  for (const [name, pair] of Object.entries(pkiFiles(pki, own))) {
    await root.file(`/etc/kubernetes/pki/${name}.crt`, pair.certificate);
    await root.file(`/etc/kubernetes/pki/${name}.key`, pair.key, {
      mode: 0o600,
    });
  }
  await root.file('/etc/kubernetes/pki/sa.key', pki.serviceAccount.key, {
    mode: 0o600,
  });
  await root.file('/etc/kubernetes/pki/sa.pub', pki.serviceAccount.publicKey, {
    mode: 0o600,
  });
  const isFirst = controlPlane(cluster)[0] === node;
  const users: Array<[string, string, Certified, string]> = [
    ['admin', 'kubernetes-admin', own.admin, frontServer(cluster)],
    [
      'controller-manager',
      'system:kube-controller-manager',
      own.controllerManager,
      `https://${node.address}:${cluster.apiPort}`,
    ],
    [
      'scheduler',
      'system:kube-scheduler',
      own.scheduler,
      `https://${node.address}:${cluster.apiPort}`,
    ],
  ];
  if (isFirst) {
    users.push([
      'super-admin',
      'kubernetes-super-admin',
      own.superAdmin,
      frontServer(cluster),
    ]);
  }
  for (const [file, user, credentials, server] of users) {
    await root.file(
      `/etc/kubernetes/${file}.conf`,
      kubeconfig({ server, ca: pki.ca.certificate, user, credentials }),
      { mode: 0o600 },
    );
  }
  for (const { dataDirectory } of cluster.etcds) {
    await root.folder(dataDirectory, { mode: 0o700 });
  }
  await root.folder('/etc/kubernetes/manifests', { mode: 0o700 });
  const isGdc = cluster.flavor === 'gdc';
  const manifests = isGdc
    ? gdcManifests(cluster, node)
    : kubeadmManifests(cluster, node);
  for (const [name, manifest] of Object.entries(manifests)) {
    const isKubernetes = name.startsWith('kube-');
    if (isKubernetes && !programs) continue;
    await root.file(
      `/etc/kubernetes/manifests/${name}`,
      manifestText(manifest),
      { mode: 0o600 },
    );
  }
  if (isGdc) await writeGdc(root, pki);
}

async function writeGdc(root: NodeRoot, pki: ClusterPki) {
  const files = apiServerFiles(pki.encryptionKey);
  for (const [path, text] of Object.entries(files)) {
    await root.file(path, text);
    await root.own(path, ofApiServer);
  }
  for (const [path, ownership] of Object.entries(owned)) {
    await root.own(path, ownership);
  }
}

function pkiFiles(pki: ClusterPki, own: NodePki): Record<string, Certified> {
  return {
    ca: pki.ca,
    'front-proxy-ca': pki.frontProxyCa,
    'etcd/ca': pki.etcdCa,
    apiserver: own.apiServer,
    'apiserver-kubelet-client': own.apiServerKubeletClient,
    'apiserver-etcd-client': own.apiServerEtcdClient,
    'front-proxy-client': own.frontProxyClient,
    'etcd/server': own.etcdServer,
    'etcd/peer': own.etcdPeer,
    'etcd/healthcheck-client': own.etcdHealthcheckClient,
  };
}
