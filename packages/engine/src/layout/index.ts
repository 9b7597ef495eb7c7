export type {
  ApiServerInstance,
  ControlPlaneNode,
  EtcdInstance,
  FilesBack,
  LayoutReservation,
  StaticPodInstance,
} from './ControlPlaneNode';
export { captureFiles } from './captureFiles';
export type { CapturedFile } from './captureFiles';
export { readControlPlaneNode } from './kubeadm';
export { readNodeCertificates } from './nodeCertificates';
export type { NodeCertificate } from './nodeCertificates';
export { readFiles, wipeFiles } from './readFiles';
export { filesInArchive } from './NodeFiles';
export type { ArchivedFile } from './NodeFiles';
