import { Kind, kindNamed } from '../apiserver/kinds';
import { KubernetesObject } from '../apiserver/storedObject';
import { components, Material, prepareMaterial, words } from './material';
import { Random } from './random';

export interface SeedObject {
  kind: Kind;
  object: KubernetesObject;
}

/** Median, and spread such that one in a hundred is above 40 KiB. */
const medianBytes = 1536;
const spread = 1.41;
const smallestBytes = 260;
const largestBytes = 240 << 10;

/** One moment for all seeds, so that the same number gives the same bytes. */
const epoch = Date.parse('2026-01-05T08:00:00Z');

const standardNamespaces = ['default', 'kube-public', 'kube-node-lease'];
// kube-system itself is left to the cluster's API server: its uid tells
// clusters apart, and two that were filled from one seed are two clusters.
const namespaces = [
  ...standardNamespaces,
  'ingress-nginx',
  'monitoring',
  'cert-manager',
  ...words.slice(0, 40).map(word => `team-${word}`),
];

function timestamp(random: Random) {
  const seconds = random.below(180 * 86_400);
  return `${new Date(epoch + seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function managedFields(
  manager: string,
  apiVersion: string,
  time: string,
  fieldsV1: object,
) {
  return {
    manager,
    operation: 'Update',
    apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
  };
}

const fieldsOfLabels = {
  '.': {},
  'f:app.kubernetes.io/component': {},
  'f:app.kubernetes.io/instance': {},
  'f:app.kubernetes.io/managed-by': {},
  'f:app.kubernetes.io/name': {},
};

/** What the objects of one application share. */
interface Application {
  name: string;
  component: string;
  namespace: string;
  labels: Record<string, string>;
  replicaSet: string;
  replicaSetUid: string;
  image: string;
  version: string;
}

function makeApplication(random: Random): Application {
  const name = `${random.pick(words)}-${random.pick(words)}`;
  const component = random.pick(components);
  const version = `${random.below(9)}.${random.below(40)}.${random.below(99)}`;
  return {
    name,
    component,
    namespace: random.pick(namespaces),
    labels: {
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/instance': name,
      'app.kubernetes.io/managed-by': 'Helm',
      'app.kubernetes.io/name': name,
    },
    replicaSet: `${name}-${component}-${random.hex(10)}`,
    replicaSetUid: random.uuid(),
    image: `registry.example.com/${name}/${component}:${version}`,
    version,
  };
}

/** Makes the objects of a cluster, one after the other, without an end. */
export function* makeObjects(random: Random): Generator<SeedObject> {
  const material = prepareMaterial(random);
  yield* namespaces.map(name => namespace(random, name));
  yield kubeadmConfig(random);
  for (let serial = 0; ; ) {
    const application = makeApplication(random);
    for (let count = 1 + random.below(8); count > 0; count -= 1) {
      const size = Math.min(
        largestBytes,
        Math.max(
          smallestBytes,
          medianBytes * Math.exp(spread * random.normal()),
        ),
      );
      const make = chooseMaker(random, size);
      yield make({ random, material, application, size, serial });
      serial += 1;
    }
  }
}

interface Order {
  random: Random;
  material: Material;
  application: Application;
  /** bytes that the stored value should have, roughly */
  size: number;
  serial: number;
}

type Maker = (order: Order) => SeedObject;

/** For sizes below the first number: shares of makers, of a hundred. */
const mix: Array<[number, Array<[number, Maker]>]> = [
  [
    700,
    [
      [24, serviceAccount],
      [48, configMap],
      [12, secret],
      [16, widget],
    ],
  ],
  [
    1_300,
    [
      [14, event],
      [46, configMap],
      [10, secret],
      [30, widget],
    ],
  ],
  [
    3_200,
    [
      [4, event],
      [58, configMap],
      [12, secret],
      [26, widget],
    ],
  ],
  [
    10_000,
    [
      [62, pod],
      [16, configMap],
      [4, secret],
      [18, widget],
    ],
  ],
  [
    Infinity,
    [
      [72, configMap],
      [6, secret],
      [22, widget],
    ],
  ],
];

function chooseMaker(random: Random, size: number): Maker {
  const shares = mix.find(([limit]) => size < limit)?.[1] ?? [];
  let at = random.below(100);
  for (const [share, maker] of shares) {
    at -= share;
    if (at < 0) return maker;
  }
  return configMap;
}

function namespace(random: Random, name: string): SeedObject {
  return {
    kind: kindNamed('namespaces'),
    object: {
      metadata: {
        name,
        uid: random.uuid(),
        creationTimestamp: timestamp(random),
        labels: { 'kubernetes.io/metadata.name': name },
      },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
  };
}

function kubeadmConfig(random: Random): SeedObject {
  return {
    kind: kindNamed('configmaps'),
    object: {
      metadata: {
        name: 'kubeadm-config',
        namespace: 'kube-system',
        uid: random.uuid(),
        creationTimestamp: timestamp(random),
      },
      data: {
        ClusterConfiguration: `apiServer: {}
apiVersion: kubeadm.k8s.io/v1beta4
caCertificateValidityPeriod: 87600h0m0s
certificateValidityPeriod: 8760h0m0s
certificatesDir: /etc/kubernetes/pki
clusterName: kubernetes
controllerManager: {}
dns: {}
encryptionAlgorithm: RSA-2048
etcd:
  local:
    dataDir: /var/lib/etcd
imageRepository: registry.k8s.io
kind: ClusterConfiguration
kubernetesVersion: v1.31.9
networking:
  dnsDomain: cluster.local
  serviceSubnet: 10.96.0.0/12
proxy: {}
scheduler: {}
`,
      },
    },
  };
}

function serviceAccount({ random, application, serial }: Order): SeedObject {
  return {
    kind: kindNamed('serviceaccounts'),
    object: {
      metadata: {
        name: `${application.name}-${serial}`,
        namespace: application.namespace,
        uid: random.uuid(),
        creationTimestamp: timestamp(random),
        labels: application.labels,
      },
    },
  };
}

function configMap(order: Order): SeedObject {
  const { random, material, application, size, serial } = order;
  const time = timestamp(random);
  const files = random.pick([
    ['application.yaml'],
    ['nginx.conf'],
    ['application.properties', 'logback.xml'],
    ['config.yaml', 'features.yaml', 'limits.properties'],
  ]);
  const overhead = 640;
  const each = Math.max(40, (size - overhead) / files.length);
  const data = Object.fromEntries(
    files.map(file => [file, material.text(each)]),
  );
  return {
    kind: kindNamed('configmaps'),
    object: {
      metadata: {
        name: `${application.name}-${application.component}-${serial}`,
        namespace: application.namespace,
        uid: random.uuid(),
        creationTimestamp: time,
        ...(size > overhead && {
          labels: application.labels,
          managedFields: [
            managedFields('helm', 'v1', time, {
              'f:data': Object.fromEntries([
                ['.', {}],
                ...files.map(file => [`f:${file}`, {}]),
              ]),
              'f:metadata': { 'f:labels': fieldsOfLabels },
            }),
          ],
        }),
      },
      data,
    },
  };
}

function secret(order: Order): SeedObject {
  const { random, material, application, size, serial } = order;
  const payload = Math.max(32, size - 330);
  // A Helm release is compressed and then base64; others are passwords,
  // tokens and keys. Either way nothing is left to compress.
  const release = size > 8_000;
  const content = release
    ? Buffer.from(material.noise(Math.floor(payload * 0.75)).toString('base64'))
    : material.noise(Math.min(payload, 2048));
  return {
    kind: kindNamed('secrets'),
    object: {
      metadata: {
        name: release
          ? `sh.helm.release.v1.${application.name}.v${serial}`
          : `${application.name}-credentials-${serial}`,
        namespace: application.namespace,
        uid: random.uuid(),
        creationTimestamp: timestamp(random),
        labels: application.labels,
      },
      data: {
        [release ? 'release' : 'password']: content.toString('base64'),
      },
      type: release ? 'helm.sh/release.v1' : 'Opaque',
    },
  };
}

function event(order: Order): SeedObject {
  const { random, application, serial } = order;
  const time = timestamp(random);
  const podName = `${application.replicaSet}-${random.hex(5)}`;
  const node = `node-${random.below(40)}`;
  return {
    kind: kindNamed('events'),
    object: {
      metadata: {
        name: `${podName}.${random.hex(12)}${serial.toString(16)}`,
        namespace: application.namespace,
        uid: random.uuid(),
        creationTimestamp: time,
        managedFields: [
          managedFields('kubelet', 'v1', time, {
            'f:count': {},
            'f:firstTimestamp': {},
            'f:involvedObject': {},
            'f:lastTimestamp': {},
            'f:message': {},
            'f:reason': {},
            'f:reportingComponent': {},
            'f:reportingInstance': {},
            'f:source': { 'f:component': {}, 'f:host': {} },
            'f:type': {},
          }),
        ],
      },
      involvedObject: {
        kind: 'Pod',
        namespace: application.namespace,
        name: podName,
        uid: random.uuid(),
        apiVersion: 'v1',
        resourceVersion: String(random.below(1e7)),
        fieldPath: `spec.containers{${application.component}}`,
      },
      reason: random.pick(['Pulled', 'Created', 'Started', 'Unhealthy']),
      message: `Container image "${application.image}" already present on machine`,
      source: { component: 'kubelet', host: node },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1 + random.below(40),
      type: 'Normal',
      reportingComponent: 'kubelet',
      reportingInstance: node,
    },
  };
}

const tokenMount = {
  name: 'kube-api-access',
  readOnly: true,
  mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
};

function pod(order: Order): SeedObject {
  const { random, application, size, serial } = order;
  const time = timestamp(random);
  const { component, name } = application;
  const variables = Array.from(
    { length: Math.max(1, Math.round((size - 3_350) / 165)) },
    (_, index) => ({
      name: `${random.pick(words)}_${random.pick(
        words,
      )}_${index}`.toUpperCase(),
      value: random.pick([
        `http://${random.pick(words)}.${application.namespace}.svc:8080`,
        String(random.below(100_000)),
        random.hex(16),
        `/etc/${name}/${random.pick(words)}`,
      ]),
    }),
  );
  const address = `10.244.${random.below(40)}.${random.below(250)}`;
  const node = random.below(40);
  const container = `containerd://${random.hex(64)}`;
  const digest = `registry.example.com/${name}/${component}@sha256:${random.hex(
    64,
  )}`;
  const probe = (path: string, delay: number) => ({
    httpGet: { path, port: 8080, scheme: 'HTTP' },
    initialDelaySeconds: delay,
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  });
  const condition = (type: string) => ({
    type,
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: time,
  });
  const labels = {
    ...application.labels,
    'pod-template-hash': application.replicaSet.slice(-10),
  };
  return {
    kind: kindNamed('pods'),
    object: {
      metadata: {
        name: `${application.replicaSet}-${serial.toString(36)}`,
        generateName: `${application.replicaSet}-`,
        namespace: application.namespace,
        uid: random.uuid(),
        creationTimestamp: time,
        labels,
        annotations: {
          'checksum/config': random.hex(64),
          'prometheus.io/port': '9090',
          'prometheus.io/scrape': 'true',
        },
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'ReplicaSet',
            name: application.replicaSet,
            uid: application.replicaSetUid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
        managedFields: [
          managedFields('kube-controller-manager', 'v1', time, {
            'f:metadata': {
              'f:annotations': {
                '.': {},
                'f:checksum/config': {},
                'f:prometheus.io/port': {},
                'f:prometheus.io/scrape': {},
              },
              'f:generateName': {},
              'f:labels': { ...fieldsOfLabels, 'f:pod-template-hash': {} },
              'f:ownerReferences': {
                '.': {},
                [`k:{"uid":"${application.replicaSetUid}"}`]: {},
              },
            },
            'f:spec': {
              'f:containers': {
                [`k:{"name":"${component}"}`]: {
                  '.': {},
                  'f:env': Object.fromEntries([
                    ['.', {}],
                    ...variables.map(variable => [
                      `k:{"name":"${variable.name}"}`,
                      { '.': {}, 'f:name': {}, 'f:value': {} },
                    ]),
                  ]),
                  'f:image': {},
                  'f:imagePullPolicy': {},
                  'f:livenessProbe': {
                    '.': {},
                    'f:failureThreshold': {},
                    'f:httpGet': {
                      '.': {},
                      'f:path': {},
                      'f:port': {},
                      'f:scheme': {},
                    },
                    'f:periodSeconds': {},
                    'f:successThreshold': {},
                    'f:timeoutSeconds': {},
                  },
                  'f:name': {},
                  'f:resources': {
                    '.': {},
                    'f:limits': { '.': {}, 'f:cpu': {}, 'f:memory': {} },
                    'f:requests': { '.': {}, 'f:cpu': {}, 'f:memory': {} },
                  },
                },
              },
              'f:dnsPolicy': {},
              'f:enableServiceLinks': {},
              'f:restartPolicy': {},
              'f:schedulerName': {},
              'f:securityContext': {},
              'f:terminationGracePeriodSeconds': {},
            },
          }),
          {
            ...managedFields('kubelet', 'v1', time, {
              'f:status': {
                'f:conditions': {
                  'k:{"type":"ContainersReady"}': {
                    '.': {},
                    'f:lastProbeTime': {},
                    'f:lastTransitionTime': {},
                    'f:status': {},
                    'f:type': {},
                  },
                  'k:{"type":"Ready"}': {
                    '.': {},
                    'f:lastProbeTime': {},
                    'f:lastTransitionTime': {},
                    'f:status': {},
                    'f:type': {},
                  },
                },
                'f:containerStatuses': {},
                'f:hostIP': {},
                'f:phase': {},
                'f:podIP': {},
                'f:podIPs': {
                  '.': {},
                  [`k:{"ip":"${address}"}`]: { '.': {}, 'f:ip': {} },
                },
                'f:startTime': {},
              },
            }),
            subresource: 'status',
          },
        ],
      },
      spec: {
        volumes: [
          { name: 'config', configMap: { name, defaultMode: 420 } },
          {
            name: 'kube-api-access',
            projected: {
              defaultMode: 420,
              sources: [
                {
                  serviceAccountToken: {
                    expirationSeconds: 3607,
                    path: 'token',
                  },
                },
                {
                  configMap: {
                    name: 'kube-root-ca.crt',
                    items: [{ key: 'ca.crt', path: 'ca.crt' }],
                  },
                },
              ],
            },
          },
        ],
        containers: [
          {
            name: component,
            image: application.image,
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            env: variables,
            resources: {
              limits: { cpu: '500m', memory: '512Mi' },
              requests: { cpu: '100m', memory: '256Mi' },
            },
            volumeMounts: [
              { name: 'config', mountPath: `/etc/${name}` },
              tokenMount,
            ],
            livenessProbe: probe('/healthz', 10),
            readinessProbe: probe('/ready', 5),
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
            imagePullPolicy: 'IfNotPresent',
          },
        ],
        restartPolicy: 'Always',
        terminationGracePeriodSeconds: 30,
        dnsPolicy: 'ClusterFirst',
        serviceAccountName: name,
        serviceAccount: name,
        nodeName: `node-${node}`,
        securityContext: {},
        schedulerName: 'default-scheduler',
        tolerations: ['not-ready', 'unreachable'].map(condition_ => ({
          key: `node.kubernetes.io/${condition_}`,
          operator: 'Exists',
          effect: 'NoExecute',
          tolerationSeconds: 300,
        })),
        priority: 0,
        enableServiceLinks: true,
        preemptionPolicy: 'PreemptLowerPriority',
      },
      status: {
        phase: 'Running',
        conditions: [
          condition('PodReadyToStartContainers'),
          condition('Initialized'),
          condition('Ready'),
          condition('ContainersReady'),
          condition('PodScheduled'),
        ],
        hostIP: `192.168.0.${node}`,
        hostIPs: [{ ip: `192.168.0.${node}` }],
        podIP: address,
        podIPs: [{ ip: address }],
        startTime: time,
        containerStatuses: [
          {
            name: component,
            state: { running: { startedAt: time } },
            lastState: {},
            ready: true,
            restartCount: 0,
            image: application.image,
            imageID: digest,
            containerID: container,
            started: true,
          },
        ],
        qosClass: 'Burstable',
      },
    },
  };
}

function widget(order: Order): SeedObject {
  const { random, application, size, serial } = order;
  const time = timestamp(random);
  const small = size < 1_000;
  const rules = Array.from(
    { length: Math.max(1, Math.round((size - (small ? 560 : 1_180)) / 178)) },
    () => ({
      name: `${random.pick(words)}-${random.pick(words)}-${random.below(1000)}`,
      match: { path: `/${random.pick(words)}/${random.pick(words)}` },
      weight: random.below(100),
      backend: {
        service: `${random.pick(words)}-${random.pick(components)}`,
        port: 8000 + random.below(100),
      },
      timeout: `${random.below(60)}s`,
    }),
  );
  return {
    kind: kindNamed('widgets'),
    object: {
      metadata: {
        ...(small
          ? {}
          : {
              annotations: {
                'meta.helm.sh/release-name': application.name,
                'meta.helm.sh/release-namespace': application.namespace,
              },
            }),
        creationTimestamp: time,
        generation: 1 + random.below(20),
        labels: application.labels,
        managedFields: [
          managedFields('helm', 'demo.example.com/v1', time, {
            'f:spec': { '.': {}, 'f:rules': {}, 'f:size': {} },
          }),
          ...(small
            ? []
            : [
                {
                  ...managedFields(
                    'widget-controller',
                    'demo.example.com/v1',
                    time,
                    {
                      'f:status': {
                        '.': {},
                        'f:conditions': {},
                        'f:observedGeneration': {},
                      },
                    },
                  ),
                  subresource: 'status',
                },
              ]),
        ],
        name: `${application.name}-${serial}`,
        namespace: application.namespace,
        uid: random.uuid(),
      },
      spec: { size: random.below(10), rules },
      ...(small
        ? {}
        : {
            status: {
              observedGeneration: 1,
              conditions: [
                {
                  type: 'Ready',
                  status: 'True',
                  reason: 'Reconciled',
                  message: `${rules.length} rules are in force`,
                  lastTransitionTime: time,
                },
              ],
            },
          }),
    },
  };
}
