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
export { readFiles } from './readFiles';
