export type { Check, CheckSubject, Finding } from './Check';
export { checkCluster, refuseOn } from './checkCluster';
export { managedFindings } from './managedClusters';
export type { CheckReport } from './checkCluster';
