export type { Check, CheckSubject, Finding } from './Check';
export { checkCluster, refuseOn } from './checkCluster';
export type { CheckReport } from './checkCluster';
