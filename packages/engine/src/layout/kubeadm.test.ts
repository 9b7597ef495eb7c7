import {
  chmodSync,
  chownSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ClusterBackupError } from '../errors';
import { makeAuthority, makeCertificate } from '../etcd/__testUtils__/openssl';
import { captureFiles, CapturedFile } from './captureFiles';
import { ControlPlaneNode } from './ControlPlaneNode';
import { readControlPlaneNode } from './kubeadm';
import {
  API_SERVER_MANIFEST,
  ETCD_MANIFEST,
  KubeadmTree,
  makeKubeadmTree,
  makePki,
} from './__testUtils__/kubeadmTree';

const signal = new AbortController().signal;
const MANIFESTS = '/etc/kubernetes/manifests';

let pki: string;
let tree: KubeadmTree;
beforeAll(() => {
  pki = makePki();
});
afterAll(() => rmSync(pki, { recursive: true }));
beforeEach(() => {
  tree = makeKubeadmTree(pki);
});
afterEach(() => tree.close());

const read = () => readControlPlaneNode(tree.machine, signal);

async function refusal(): Promise<ClusterBackupError> {
  try {
    await read();
  } catch (error) {
    expect(error).toBeInstanceOf(ClusterBackupError);
    return error as ClusterBackupError;
  }
  throw new Error('It was read.');
}

async function captured(node: ControlPlaneNode) {
  const files: Array<CapturedFile['header'] & { content?: string }> = [];
  const notes: string[] = [];
  for await (const { header, source } of captureFiles(node, {
    signal,
    progress: event => event.type === 'note' && notes.push(event.message),
  })) {
    const chunks = [];
    for await (const chunk of source ?? []) {
      chunks.push(chunk);
    }
    files.push({
      ...header,
      ...(source && { content: Buffer.concat(chunks).toString('utf8') }),
    });
  }
  return { files, notes };
}

describe('readControlPlaneNode', () => {
  it('reads a node as kubeadm leaves it, in few commands', async () => {
    chownSync(join(tree.root, 'var/lib/etcd'), 1234, 1235);
    const node = await read();
    expect(node.etcd).toMatchObject({
      name: 'cp1',
      image: 'registry.k8s.io/etcd:3.5.16-0',
      dataDir: '/var/lib/etcd',
      clientUrl: 'https://127.0.0.1:2379',
      peerUrls: ['https://192.0.2.11:2380'],
      advertisedClientUrls: ['https://192.0.2.11:2379'],
      metricsUrl: 'http://127.0.0.1:2381',
      certificate: {
        ca: '/etc/kubernetes/pki/etcd/ca.crt',
        serverCert: '/etc/kubernetes/pki/etcd/server.crt',
      },
      manifestPath: `${MANIFESTS}/etcd.yaml`,
      uid: 1234,
      gid: 1235,
      mode: 0o700,
    });
    expect(node.apiServer).toMatchObject({
      port: 6443,
      advertiseAddress: '192.0.2.11',
      manifestPath: `${MANIFESTS}/kube-apiserver.yaml`,
    });
    expect(node.controllerManager?.manifestPath).toBe(
      `${MANIFESTS}/kube-controller-manager.yaml`,
    );
    expect(node.scheduler?.image).toBe(
      'registry.k8s.io/kube-scheduler:v1.31.4',
    );
    expect(node.kubernetesVersion).toBe('1.31.4');
    expect(node.frontServer).toBe('https://192.0.2.10:6443');
    expect(node.nodeName).toBeUndefined();
    const fingerprints = [
      node.caFingerprint,
      ...Object.values(node.fingerprints).flat(),
    ];
    expect(new Set(fingerprints).size).toBe(4);
    for (const fingerprint of fingerprints) {
      expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(node.reservations).toEqual([]);
    expect(tree.machine.commands).toBeLessThanOrEqual(3);
    expect(node.capture).toEqual(
      expect.arrayContaining([
        '/etc/kubernetes/pki/etcd/ca.key',
        '/etc/kubernetes/pki/sa.key',
        '/etc/kubernetes/admin.conf',
        '/etc/kubernetes/kubelet.conf',
        `${MANIFESTS}/etcd.yaml`,
        '/var/lib/kubelet/config.yaml',
        '/var/lib/kubelet/pki/kubelet-client-current.pem',
        '/var/lib/kubelet/pki/kubelet-client-1.pem',
      ]),
    );
    expect(
      node.capture.filter(path => /^\/(var\/lib\/etcd|etc\/ssl)/.test(path)),
    ).toEqual([]);
  });

  it('follows a manifest that an operator changed', async () => {
    const manifests = '/etc/kubelet.d';
    tree.remove(`${MANIFESTS}/etcd.yaml`);
    tree.remove(`${MANIFESTS}/kube-apiserver.yaml`);
    tree.write(
      '/var/lib/kubelet/config.yaml',
      `staticPodPath: ${manifests}/\n`,
    );
    // Flags in two words, from the environment, in args; the data elsewhere on the host than in the container.
    tree.write(
      `${manifests}/etcd.yaml`,
      ETCD_MANIFEST.replace('    - --name=cp1\n', '    - --name\n    - cp1\n')
        .replace('    - --data-dir=/var/lib/etcd\n', '')
        .replace(
          '    volumeMounts:\n',
          '    env: [{ name: ETCD_DATA_DIR, value: /data/etcd }, { name: ETCD_NAME, value: not-this }]\n    args: [--quota-backend-bytes, "8589934592"]\n    volumeMounts:\n',
        )
        .replace('mountPath: /var/lib/etcd,', 'mountPath: /data,')
        .replace('path: /var/lib/etcd,', 'path: /var/lib/disk,'),
    );
    tree.write('/var/lib/disk/etcd/member/snap/db', 'data');
    tree.write(
      `${manifests}/kube-apiserver.yaml`,
      API_SERVER_MANIFEST.replace(
        '    - --secure-port=6443\n',
        `    - --secure-port=16443
    - --admission-control-config-file=/config/admission.yaml
    - --encryption-provider-config=/config/encryption.yaml
    - --etcd-prefix=/registry
    - --audit-log-path=/config/audit.log
    - --etcd-servers-overrides=/events#https://127.0.0.1:2382,/widgets#https://127.0.0.1:2392
`,
      )
        .replace(
          '    volumeMounts:\n',
          '    volumeMounts:\n    - { mountPath: /config, name: config }\n',
        )
        .replace(
          '  volumes:\n',
          '  volumes:\n  - { hostPath: { path: /etc/apiserver }, name: config }\n',
        ),
    );
    tree.write(
      '/etc/apiserver/admission.yaml',
      'kind: AdmissionConfiguration\nplugins:\n- { name: PodSecurity, path: ../outside/pod-security.yaml }\n',
    );
    tree.write('/etc/outside/pod-security.yaml', 'kind: X\n');
    tree.write('/etc/apiserver/encryption.yaml', 'kind: Encryption\n');
    tree.write('/etc/apiserver/audit.log', 'noise\n');
    tree.write('/etc/apiserver/audit-2026-01-31T00-00-00.000.log', 'noise\n');
    tree.write('/etc/apiserver/audit-policy.yaml', 'kind: Policy\n');
    tree.write('/etc/apiserver/huge.bin', Buffer.alloc(5 << 20));
    // Another pod of the operator's, one that cannot be read, and one that mounts the whole of /etc.
    tree.write(
      `${manifests}/keepalived.yaml`,
      `
kind: Pod
metadata: { name: keepalived }
spec:
  containers:
  - { name: keepalived, image: k, volumeMounts: [{ name: c, mountPath: /c }, { name: e, mountPath: /host }] }
  volumes: [{ name: c, hostPath: { path: /etc/keepalived } }, { name: e, hostPath: { path: /etc } }]
`,
    );
    tree.write('/etc/keepalived/keepalived.conf', 'vrrp\n');
    tree.write(`${manifests}/broken.yaml`, 'a: [');
    tree.write(`${manifests}/.hidden.yaml`, 'a: [');

    const node = await read();
    expect(node.manifestsDir).toBe(manifests);
    expect(node.etcd).toMatchObject({
      name: 'cp1',
      dataDir: '/var/lib/disk/etcd',
    });
    expect(node.apiServer).toMatchObject({
      port: 16443,
      encryptionProviderConfig: '/etc/apiserver/encryption.yaml',
    });
    expect(node.capture).toEqual(
      expect.arrayContaining([
        '/etc/apiserver/admission.yaml',
        '/etc/apiserver/audit-policy.yaml',
        '/etc/apiserver/encryption.yaml',
        '/etc/outside/pod-security.yaml',
        '/etc/keepalived/keepalived.conf',
        `${manifests}/broken.yaml`,
      ]),
    );
    for (const path of [
      '/etc/passwd',
      '/etc/apiserver/audit.log',
      '/etc/apiserver/audit-2026-01-31T00-00-00.000.log',
      '/etc/apiserver/huge.bin',
      '/var/lib/disk/etcd/member/snap/db',
    ]) {
      expect(node.capture).not.toContain(path);
    }
    expect(node.reservations.map(({ id }) => id).sort()).toEqual([
      'etcd-override',
      'file-left-out',
      'manifest-unreadable',
    ]);
  });

  it('knows its Node from the certificate of its kubelet, in a file or inside of kubelet.conf', async () => {
    const files = join(tree.root, 'kubelet');
    makeAuthority(join(files, 'ca'), 'ca');
    makeCertificate(
      join(files, 'client'),
      join(files, 'ca'),
      '/O=system:nodes/CN=system:node:node-7.example.com',
    );
    const pem = readFileSync(join(files, 'client.crt'));
    tree.write('/var/lib/kubelet/pki/kubelet-client-1.pem', pem.toString());
    expect((await read()).nodeName).toBe('node-7.example.com');

    rmSync(join(tree.root, 'var/lib/kubelet/pki/kubelet-client-current.pem'));
    const { clusters, contexts } = parse(
      readFileSync(join(tree.root, 'etc/kubernetes/kubelet.conf'), 'utf8'),
    );
    const data = pem.toString('base64');
    tree.write(
      '/etc/kubernetes/kubelet.conf',
      stringify({
        'current-context': contexts[0].name,
        contexts,
        clusters,
        users: [{ name: 'x', user: { 'client-certificate-data': data } }],
      }),
    );
    expect((await read()).nodeName).toBe('node-7.example.com');
  });

  it('follows a PKI folder that is a link', async () => {
    renameSync(
      join(tree.root, 'etc/kubernetes/pki'),
      join(tree.root, 'etc/secrets'),
    );
    tree.link('/etc/kubernetes/pki', '/etc/secrets');
    const { capture } = await read();
    expect(capture).toContain('/etc/kubernetes/pki');
    expect(capture).toContain('/etc/secrets/etcd/ca.key');
  });

  it.each([
    ['no kubelet', () => tree.remove('/var/lib/kubelet/config.yaml')],
    ['no etcd at all', () => tree.remove(`${MANIFESTS}/etcd.yaml`)],
    ['no API server', () => tree.remove(`${MANIFESTS}/kube-apiserver.yaml`)],
    ['no data directory', () => tree.remove('/var/lib/etcd')],
  ])('refuses a machine with %s', async (_what, damage) => {
    damage();
    const error = await refusal();
    expect(error.code).toBe('layout-not-kubeadm');
    expect(error.message).toContain('cp1');
  });

  it.each([
    [
      'with etcd elsewhere only',
      'layout-external-etcd',
      () => {
        tree.remove(`${MANIFESTS}/etcd.yaml`);
        tree.write(
          `${MANIFESTS}/kube-apiserver.yaml`,
          API_SERVER_MANIFEST.replace(
            'https://127.0.0.1:2379',
            'https://192.0.2.50:2379',
          ),
        );
      },
    ],
    [
      'whose API server does not use its etcd',
      'layout-external-etcd',
      () =>
        tree.write(
          `${MANIFESTS}/kube-apiserver.yaml`,
          API_SERVER_MANIFEST.replace(
            'https://127.0.0.1:2379',
            'https://192.0.2.50:2379',
          ),
        ),
    ],
    [
      'with a broken etcd manifest',
      'manifest-unreadable',
      () => tree.write(`${MANIFESTS}/etcd.yaml`, 'kind: Pod\n  x: [\n'),
    ],
    [
      'whose etcd has no TLS',
      'manifest-unreadable',
      () =>
        tree.write(
          `${MANIFESTS}/etcd.yaml`,
          ETCD_MANIFEST.replaceAll('https:', 'http:'),
        ),
    ],
    [
      'whose etcd reads a configuration file',
      'manifest-unreadable',
      () =>
        tree.write(
          `${MANIFESTS}/etcd.yaml`,
          ETCD_MANIFEST.replace('--name=cp1', '--config-file=/etc/etcd.yaml'),
        ),
    ],
    [
      'whose certificate authority is gone',
      'layout-certificate-unreadable',
      () => tree.remove('/etc/kubernetes/pki/ca.crt'),
    ],
  ])('refuses a node %s', async (_what, code, damage) => {
    damage();
    const error = await refusal();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/cp1|192\.0\.2\.50/);
    expect(error.remedy).not.toBe('');
  });
});

describe('captureFiles', () => {
  it('streams files with owners, modes and links, and passes over what vanished', async () => {
    chmodSync(join(tree.root, 'etc/kubernetes/pki/sa.key'), 0o640);
    chownSync(join(tree.root, 'etc/kubernetes/pki/sa.key'), 4321, 4322);
    tree.write("/etc/kubernetes/pki/odd name'\n$(x).txt", 'odd');
    const node = await read();
    tree.remove('/etc/kubernetes/admin.conf');
    const { files, notes } = await captured(node);
    const at = (path: string) => files.find(file => file.path === path);
    expect(at('/etc/kubernetes/pki/sa.key')).toMatchObject({
      type: 'file',
      mode: 0o640,
      uid: 4321,
      gid: 4322,
      content: expect.stringContaining('PRIVATE KEY'),
    });
    expect(at("/etc/kubernetes/pki/odd name'\n$(x).txt")).toMatchObject({
      content: 'odd',
      size: 3,
    });
    expect(at(MANIFESTS)).toMatchObject({ type: 'directory', size: 0 });
    expect(at('/var/lib/kubelet/pki/kubelet-client-current.pem')).toMatchObject(
      {
        type: 'symlink',
        linkname: '/var/lib/kubelet/pki/kubelet-client-1.pem',
      },
    );
    expect(files.map(({ path }) => path)).toEqual(
      node.capture.filter(path => path !== '/etc/kubernetes/admin.conf'),
    );
    expect(notes).toEqual([
      expect.stringContaining('/etc/kubernetes/admin.conf'),
    ]);
  });

  it('takes more files than fit in a command line, and refuses a folder of data', async () => {
    for (let i = 0; i < 1200; i++) {
      tree.write(
        `/etc/kubernetes/pki/many/file-with-a-name-that-is-quite-long-${i}`,
        'x',
      );
    }
    const node = await read();
    const { files } = await captured(node);
    expect(files.length).toBe(node.capture.length);
    for (let i = 0; i < 17; i++) {
      tree.write(`/etc/kubernetes/pki/large/${i}`, '');
      truncateSync(join(tree.root, `etc/kubernetes/pki/large/${i}`), 4 << 20);
    }
    const large = await read();
    await expect(captured(large)).rejects.toMatchObject({
      code: 'node-files-too-large',
    });
  });
});
