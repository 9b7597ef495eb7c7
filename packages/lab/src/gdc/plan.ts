import { EtcdPlan } from '../kubeadm/plan';

/** `spec.anthosBareMetalVersion` of a GDC lab. */
export const GDC_VERSION = '1.32.100-gke.42';

/** Keeps the Events, so that they are in nobody's way. */
export const eventsEtcd: EtcdPlan = {
  pod: 'etcd-events',
  dataDirectory: '/var/lib/etcd-events',
  clientPort: 2382,
  peerPort: 2383,
  metricsPort: 2384,
};

/** What differs from kubeadm's defaults in every GDC cluster. */
export const gdcDefaults = {
  apiPort: 6444,
  frontPort: 443,
  imageRepository: 'gcr.io/anthos-baremetal-release',
  kubernetesVersion: 'v1.32.4-gke.200',
};
