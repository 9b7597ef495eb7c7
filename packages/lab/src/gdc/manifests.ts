import {
  etcdManifest,
  kubeadmManifests,
  Manifest,
  staticPod,
  volume,
  volumeMount,
} from '../kubeadm/manifests';
import { ClusterPlan, MachinePlan } from '../kubeadm/plan';
import { apiServerFileFlags, apiServerFileMounts } from './apiServerFiles';
import { eventsEtcd } from './plan';
import { users } from './rootless';

const HAPROXY_TAG = 'v2.8.10-gke.4';
const KEEPALIVED_TAG = 'v2.3.1-gke.2';

/** The static pods of a control-plane node of GDC with its bundled load balancer, by file name. */
export function gdcManifests(
  cluster: ClusterPlan,
  node: MachinePlan,
): Record<string, Manifest> {
  const pods = kubeadmManifests(cluster, node);
  const manifests: Record<string, Manifest> = {
    ...pods,
    'etcd-events.yaml': etcdManifest(cluster, node, eventsEtcd),
    'kube-apiserver.yaml': withFiles(pods['kube-apiserver.yaml']),
  };
  for (const [pod, user] of Object.entries(users)) {
    Object.assign(manifests[`${pod}.yaml`].spec.securityContext, {
      runAsUser: user,
      runAsGroup: user,
    });
  }
  return {
    ...manifests,
    'haproxy.yaml': staticPod({
      name: 'haproxy',
      image: `${cluster.imageRepository}/haproxy:${HAPROXY_TAG}`,
      command: ['haproxy'],
      cpu: '100m',
    }),
    'keepalived.yaml': staticPod({
      name: 'keepalived',
      image: `${cluster.imageRepository}/keepalived:${KEEPALIVED_TAG}`,
      command: ['keepalived'],
      cpu: '100m',
    }),
  };
}

/** The images of what balances, beside those of kubeadm. */
export function loadBalancerImages({ imageRepository }: ClusterPlan): string[] {
  return [
    `${imageRepository}/haproxy:${HAPROXY_TAG}`,
    `${imageRepository}/keepalived:${KEEPALIVED_TAG}`,
  ];
}

function withFiles(apiServer: Manifest): Manifest {
  const [container] = apiServer.spec.containers;
  return {
    ...apiServer,
    spec: {
      ...apiServer.spec,
      containers: [
        {
          ...container,
          command: [
            ...container.command,
            ...apiServerFileFlags,
            `--etcd-servers-overrides=/events#https://127.0.0.1:${eventsEtcd.clientPort}`,
          ],
          volumeMounts: [
            ...container.volumeMounts,
            ...apiServerFileMounts.map(volumeMount),
          ],
        },
      ],
      volumes: [...apiServer.spec.volumes, ...apiServerFileMounts.map(volume)],
    },
  };
}
