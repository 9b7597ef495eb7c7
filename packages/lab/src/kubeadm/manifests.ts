import { stringify } from 'yaml';
import { API_PORT, ClusterPlan, controlPlane, MachinePlan } from './plan';

const PKI = '/etc/kubernetes/pki';

interface Probe {
  path: string;
  port: number;
  host: string;
  scheme: 'HTTP' | 'HTTPS';
}

interface Mount {
  name: string;
  path: string;
  type: 'DirectoryOrCreate' | 'FileOrCreate';
  writable?: boolean;
}

/** `--initial-cluster` is stale on purpose: the first node names itself, a joiner those it met. */
function etcdFlags(cluster: ClusterPlan, node: MachinePlan): string[] {
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
    `--advertise-client-urls=https://${node.address}:2379`,
    `--cert-file=${PKI}/etcd/server.crt`,
    '--client-cert-auth=true',
    '--data-dir=/var/lib/etcd',
    ...checks,
    `--initial-advertise-peer-urls=https://${node.address}:2380`,
    `--initial-cluster=${met
      .map(({ name, address }) => `${name}=https://${address}:2380`)
      .join(',')}`,
    ...(position > 0 ? ['--initial-cluster-state=existing'] : []),
    `--key-file=${PKI}/etcd/server.key`,
    `--listen-client-urls=https://127.0.0.1:2379,https://${node.address}:2379`,
    '--listen-metrics-urls=http://127.0.0.1:2381',
    `--listen-peer-urls=https://${node.address}:2380`,
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

function apiServerFlags(node: MachinePlan): string[] {
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
    '--etcd-servers=https://127.0.0.1:2379',
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
    `--secure-port=${API_PORT}`,
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

function staticPod(options: {
  name: string;
  image: string;
  command: string[];
  annotations?: Record<string, string>;
  cpu: string;
  memory?: string;
  probes: Partial<Record<keyof typeof probeTimings, Probe>>;
  mounts: Mount[];
}): string {
  const probes = Object.entries(options.probes).map(([kind, probe]) => [
    `${kind}Probe`,
    { httpGet: probe, ...probeTimings[kind as keyof typeof probeTimings] },
  ]);
  return stringify(
    {
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
            name: options.name,
            ...Object.fromEntries(probes),
            resources: {
              requests: {
                cpu: options.cpu,
                ...(options.memory && { memory: options.memory }),
              },
            },
            volumeMounts: options.mounts.map(mount => ({
              mountPath: mount.path,
              name: mount.name,
              ...(!mount.writable && { readOnly: true }),
            })),
          },
        ],
        hostNetwork: true,
        priority: 2000001000,
        priorityClassName: 'system-node-critical',
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        volumes: options.mounts.map(({ name, path, type }) => ({
          hostPath: { path, type },
          name,
        })),
      },
      status: {},
    },
    { lineWidth: 0 },
  );
}

/** The static pods of a control-plane node as kubeadm 1.31 writes them, by file name. */
export function manifests(
  cluster: ClusterPlan,
  node: MachinePlan,
): Record<string, string> {
  const kubernetesImage = (name: string) =>
    `registry.k8s.io/${name}:${cluster.kubernetesVersion}`;
  return {
    'etcd.yaml': staticPod({
      name: 'etcd',
      image: etcdImage(cluster),
      command: ['etcd', ...etcdFlags(cluster, node)],
      annotations: {
        'kubeadm.kubernetes.io/etcd.advertise-client-urls': `https://${node.address}:2379`,
      },
      cpu: '100m',
      memory: '100Mi',
      probes: {
        liveness: local('/livez', 2381),
        readiness: local('/readyz', 2381),
        startup: local('/readyz', 2381),
      },
      mounts: [
        {
          name: 'etcd-data',
          path: '/var/lib/etcd',
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
    }),
    'kube-apiserver.yaml': staticPod({
      name: 'kube-apiserver',
      image: kubernetesImage('kube-apiserver'),
      command: ['kube-apiserver', ...apiServerFlags(node)],
      annotations: {
        'kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint': `${node.address}:${API_PORT}`,
      },
      cpu: '250m',
      probes: {
        liveness: secure('/livez', API_PORT, node.address),
        readiness: secure('/readyz', API_PORT, node.address),
        startup: secure('/livez', API_PORT, node.address),
      },
      mounts: certificateMounts,
    }),
    'kube-controller-manager.yaml': staticPod({
      name: 'kube-controller-manager',
      image: kubernetesImage('kube-controller-manager'),
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
      image: kubernetesImage('kube-scheduler'),
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

export function etcdImage(cluster: ClusterPlan): string {
  return `registry.k8s.io/etcd:${cluster.etcdVersion}-0`;
}
