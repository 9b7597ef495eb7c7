export type {
  ApiServerInstance,
  ControlPlaneNode,
  EtcdInstance,
  LayoutReservation,
  StaticPodInstance,
} from './ControlPlaneNode';
export { captureFiles } from './captureFiles';
export type { CapturedFile } from './captureFiles';
export { readControlPlaneNode } from './kubeadm';
export { readNodeCertificates } from './nodeCertificates';
export type { NodeCertificate } from './nodeCertificates';
export { readFiles } from './readFiles';
