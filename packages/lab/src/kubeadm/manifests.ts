import { stringify } from 'yaml';
import {
  ClusterPlan,
  controlPlane,
  EtcdPlan,
  MachinePlan,
  mainEtcd,
  Mount,
} from './plan';

const PKI = '/etc/kubernetes/pki';

interface Probe {
  path: string;
  port: number;
  host: string;
  scheme: 'HTTP' | 'HTTPS';
}

/** `--initial-cluster` is stale on purpose: the first node names itself, a joiner those it met. */
function etcdFlags(
  cluster: ClusterPlan,
  node: MachinePlan,
  { dataDirectory, clientPort, peerPort, metricsPort }: EtcdPlan,
): string[] {
  const nodes = controlPlane(cluster);
  const position = nodes.indexOf(node);
  const met = nodes.slice(0, position + 1);
  const checks = cluster.etcdVersion.startsWith('3.5.')
    ? [
        '--experimental-initial-corrupt-check=true',
        '--experimental-watch-progress-notify-interval=5s',
      ]
    : [
        '--feature-gates=InitialCorruptCheck=true',
        '--watch-progress-notify-interval=5s',
      ];
  return [
    `--advertise-client-urls=https://${node.address}:${clientPort}`,
    `--cert-file=${PKI}/etcd/server.crt`,
    '--client-cert-auth=true',
    `--data-dir=${dataDirectory}`,
    ...checks,
    `--initial-advertise-peer-urls=https://${node.address}:${peerPort}`,
    `--initial-cluster=${met
      .map(({ name, address }) => `${name}=https://${address}:${peerPort}`)
      .join(',')}`,
    ...(position > 0 ? ['--initial-cluster-state=existing'] : []),
    `--key-file=${PKI}/etcd/server.key`,
    `--listen-client-urls=https://127.0.0.1:${clientPort},https://${node.address}:${clientPort}`,
    `--listen-metrics-urls=http://127.0.0.1:${metricsPort}`,
    `--listen-peer-urls=https://${node.address}:${peerPort}`,
    `--name=${node.name}`,
    `--peer-cert-file=${PKI}/etcd/peer.crt`,
    '--peer-client-cert-auth=true',
    `--peer-key-file=${PKI}/etcd/peer.key`,
    `--peer-trusted-ca-file=${PKI}/etcd/ca.crt`,
    ...(cluster.etcdQuota
      ? [`--quota-backend-bytes=${cluster.etcdQuota}`]
      : []),
    '--snapshot-count=10000',
    `--trusted-ca-file=${PKI}/etcd/ca.crt`,
  ];
}

function apiServerFlags(cluster: ClusterPlan, node: MachinePlan): string[] {
  return [
    `--advertise-address=${node.address}`,
    '--allow-privileged=true',
    '--authorization-mode=Node,RBAC',
    `--client-ca-file=${PKI}/ca.crt`,
    '--enable-admission-plugins=NodeRestriction',
    '--enable-bootstrap-token-auth=true',
    `--etcd-cafile=${PKI}/etcd/ca.crt`,
    `--etcd-certfile=${PKI}/apiserver-etcd-client.crt`,
    `--etcd-keyfile=${PKI}/apiserver-etcd-client.key`,
    `--etcd-servers=https://127.0.0.1:${mainEtcd.clientPort}`,
    `--kubelet-client-certificate=${PKI}/apiserver-kubelet-client.crt`,
    `--kubelet-client-key=${PKI}/apiserver-kubelet-client.key`,
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    `--proxy-client-cert-file=${PKI}/front-proxy-client.crt`,
    `--proxy-client-key-file=${PKI}/front-proxy-client.key`,
    '--requestheader-allowed-names=front-proxy-client',
    `--requestheader-client-ca-file=${PKI}/front-proxy-ca.crt`,
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--secure-port=${cluster.apiPort}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${PKI}/sa.pub`,
    `--service-account-signing-key-file=${PKI}/sa.key`,
    '--service-cluster-ip-range=10.96.0.0/12',
    `--tls-cert-file=${PKI}/apiserver.crt`,
    `--tls-private-key-file=${PKI}/apiserver.key`,
  ];
}

const controllerManagerFlags = [
  '--allocate-node-cidrs=true',
  '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
  '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
  '--bind-address=127.0.0.1',
  `--client-ca-file=${PKI}/ca.crt`,
  '--cluster-cidr=10.244.0.0/16',
  '--cluster-name=kubernetes',
  `--cluster-signing-cert-file=${PKI}/ca.crt`,
  `--cluster-signing-key-file=${PKI}/ca.key`,
  '--controllers=*,bootstrapsigner,tokencleaner',
  '--kubeconfig=/etc/kubernetes/controller-manager.conf',
  '--leader-elect=true',
  `--requestheader-client-ca-file=${PKI}/front-proxy-ca.crt`,
  `--root-ca-file=${PKI}/ca.crt`,
  `--service-account-private-key-file=${PKI}/sa.key`,
  '--service-cluster-ip-range=10.96.0.0/12',
  '--use-service-account-credentials=true',
];

const schedulerFlags = [
  '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
  '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
  '--bind-address=127.0.0.1',
  '--kubeconfig=/etc/kubernetes/scheduler.conf',
  '--leader-elect=true',
];

const certificateMounts: Mount[] = [
  { name: 'ca-certs', path: '/etc/ssl/certs', type: 'DirectoryOrCreate' },
  {
    name: 'etc-ca-certificates',
    path: '/etc/ca-certificates',
    type: 'DirectoryOrCreate',
  },
  { name: 'k8s-certs', path: PKI, type: 'DirectoryOrCreate' },
  {
    name: 'usr-local-share-ca-certificates',
    path: '/usr/local/share/ca-certificates',
    type: 'DirectoryOrCreate',
  },
  {
    name: 'usr-share-ca-certificates',
    path: '/usr/share/ca-certificates',
    type: 'DirectoryOrCreate',
  },
];

function kubeconfigMount(path: string): Mount {
  return { name: 'kubeconfig', path, type: 'FileOrCreate' };
}

function local(path: string, port: number): Probe {
  return { path, port, host: '127.0.0.1', scheme: 'HTTP' };
}

function secure(path: string, port: number, host = '127.0.0.1'): Probe {
  return { path, port, host, scheme: 'HTTPS' };
}

const probeTimings = {
  liveness: {
    failureThreshold: 8,
    initialDelaySeconds: 10,
    periodSeconds: 10,
    timeoutSeconds: 15,
  },
  readiness: { failureThreshold: 3, periodSeconds: 1, timeoutSeconds: 15 },
  startup: {
    failureThreshold: 24,
    initialDelaySeconds: 10,
    periodSeconds: 10,
    timeoutSeconds: 15,
  },
};

/** A static pod of the control plane as its manifest has it. */
export type Manifest = ReturnType<typeof staticPod>;

/** @param options - `container` names the container where it is not named as its pod. */
export function staticPod(options: {
  name: string;
  container?: string;
  image: string;
  command: string[];
  annotations?: Record<string, string>;
  cpu: string;
  memory?: string;
  probes?: Partial<Record<keyof typeof probeTimings, Probe>>;
  mounts?: Mount[];
}) {
  const { mounts = [] } = options;
  const probes = Object.entries(options.probes ?? {}).map(([kind, probe]) => [
    `${kind}Probe`,
    { httpGet: probe, ...probeTimings[kind as keyof typeof probeTimings] },
  ]);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(options.annotations && { annotations: options.annotations }),
      creationTimestamp: null,
      labels: { component: options.name, tier: 'control-plane' },
      name: options.name,
      namespace: 'kube-system',
    },
    spec: {
      containers: [
        {
          command: options.command,
          image: options.image,
          imagePullPolicy: 'IfNotPresent',
          name: options.container ?? options.name,
          ...Object.fromEntries(probes),
          resources: {
            requests: {
              cpu: options.cpu,
              ...(options.memory && { memory: options.memory }),
            },
          },
          volumeMounts: mounts.map(volumeMount),
        },
      ],
      hostNetwork: true,
      priority: 2000001000,
      priorityClassName: 'system-node-critical',
      securityContext: {
        seccompProfile: { type: 'RuntimeDefault' },
      } as {
        seccompProfile: { type: string };
        runAsUser?: number;
        runAsGroup?: number;
      },
      volumes: mounts.map(volume),
    },
    status: {},
  };
}

export function volumeMount({ path, name, writable }: Mount) {
  return { mountPath: path, name, ...(!writable && { readOnly: true }) };
}

export function volume({ name, path, type }: Mount) {
  return { hostPath: { path, type }, name };
}

export function manifestText(manifest: Manifest): string {
  return stringify(manifest, { lineWidth: 0 });
}

/** The static pod of one etcd member. */
export function etcdManifest(
  cluster: ClusterPlan,
  node: MachinePlan,
  etcd: EtcdPlan,
): Manifest {
  const { pod, dataDirectory, clientPort, metricsPort } = etcd;
  return staticPod({
    name: pod,
    container: mainEtcd.pod,
    image: etcdImage(cluster),
    command: ['etcd', ...etcdFlags(cluster, node, etcd)],
    annotations: {
      'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${node.address}:${clientPort}`,
    },
    cpu: '100m',
    memory: '100Mi',
    probes: {
      liveness: local('/livez', metricsPort),
      readiness: local('/readyz', metricsPort),
      startup: local('/readyz', metricsPort),
    },
    mounts: [
      {
        name: 'etcd-data',
        path: dataDirectory,
        type: 'DirectoryOrCreate',
        writable: true,
      },
      {
        name: 'etcd-certs',
        path: `${PKI}/etcd`,
        type: 'DirectoryOrCreate',
        writable: true,
      },
    ],
  });
}

/** The static pods of a control-plane node as kubeadm 1.31 writes them, by file name. */
export function kubeadmManifests(
  cluster: ClusterPlan,
  node: MachinePlan,
): Record<string, Manifest> {
  return {
    'etcd.yaml': etcdManifest(cluster, node, mainEtcd),
    'kube-apiserver.yaml': staticPod({
      name: 'kube-apiserver',
      image: image(cluster, 'kube-apiserver'),
      command: ['kube-apiserver', ...apiServerFlags(cluster, node)],
      annotations: {
        'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${node.address}:${cluster.apiPort}`,
      },
      cpu: '250m',
      probes: {
        liveness: secure('/livez', cluster.apiPort, node.address),
        readiness: secure('/readyz', cluster.apiPort, node.address),
        startup: secure('/livez', cluster.apiPort, node.address),
      },
      mounts: certificateMounts,
    }),
    'kube-controller-manager.yaml': staticPod({
      name: 'kube-controller-manager',
      image: image(cluster, 'kube-controller-manager'),
      command: ['kube-controller-manager', ...controllerManagerFlags],
      cpu: '200m',
      probes: {
        liveness: secure('/healthz', 10257),
        startup: secure('/healthz', 10257),
      },
      mounts: [
        ...certificateMounts,
        {
          name: 'flexvolume-dir',
          path: '/usr/libexec/kubernetes/kubelet-plugins/volume/exec',
          type: 'DirectoryOrCreate',
          writable: true,
        },
        kubeconfigMount('/etc/kubernetes/controller-manager.conf'),
      ],
    }),
    'kube-scheduler.yaml': staticPod({
      name: 'kube-scheduler',
      image: image(cluster, 'kube-scheduler'),
      command: ['kube-scheduler', ...schedulerFlags],
      cpu: '100m',
      probes: {
        liveness: secure('/healthz', 10259),
        startup: secure('/healthz', 10259),
      },
      mounts: [kubeconfigMount('/etc/kubernetes/scheduler.conf')],
    }),
  };
}

/** The image of a Kubernetes program. */
export function image(cluster: ClusterPlan, name: string): string {
  return `${cluster.imageRepository}/${name}:${cluster.kubernetesVersion}`;
}

export function etcdImage(cluster: ClusterPlan): string {
  return `${cluster.imageRepository}/etcd:${cluster.etcdVersion}-0`;
}
