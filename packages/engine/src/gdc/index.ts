export { gdcSecrets, GOOGLE_TOKEN_URL } from './GdcAccess';
export type { GdcAccess, SecretName } from './GdcAccess';
export type { GdcCluster, GdcType, KubernetesObject } from './GdcCluster';
export { askAboutGcpKeys, gcpKeysOf } from './gcpKeys';
export type { GcpKeyAnswer } from './gcpKeys';
export { clusterIn, gdcClusterOf } from './gdcClusterOf';
export { describedKeys } from './describedKeys';
export { gdcMachines, secretIn } from './gdcMachines';
export {
  CLUSTERS,
  compareManaged,
  isManaging,
  managedAmong,
  readManagedClusters,
} from './managedClusters';
export type { ComparedCluster, ManagedChange } from './managedClusters';
export { connectManager, managingServer } from './managingCluster';
export type { ManagingCluster } from './managingCluster';
export { differingObjects } from './differingObjects';
export type { DifferingObject } from './differingObjects';
export { nameOf } from './managedObjects';
export { putBackSecret } from './putBackSecret';
export { runningJobs } from './runningJobs';
export { putBackMissing } from './putBackMissing';
export type { PutBack } from './putBackMissing';
export { readGdcCluster } from './readGdcCluster';
