export type { Check, CheckSubject, Finding } from './Check';
export { checkCluster, readNodes, refuseOn } from './checkCluster';
export { managedFindings } from './managedClusters';
export type { CheckReport, NodesRead } from './checkCluster';
export {
  isAgainstRestore,
  isOfLastBackup,
  lastBackupUnread,
} from './readiness';
export { EVENTS_UNWELL } from './etcdEvents';
