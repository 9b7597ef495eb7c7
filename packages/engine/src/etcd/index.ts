export { connectMember } from './connectMember';
export { readDataAtRest, streamDataAtRest } from './dataAtRest';
export type { DataAtRest } from './dataAtRest';
export type {
  EtcdMember,
  KeyValue,
  MemberAlarm,
  MemberEntry,
  MemberStatus,
  SnapshotFacts,
  SnapshotStream,
} from './EtcdMember';
export { collectClusterFacts, judgeMembers, noFitMember } from './fitness';
export type {
  ClusterFacts,
  Fitness,
  MemberFacts,
  MemberFinding,
} from './fitness';
export { findRestoreTool } from './restoreTool';
export type { RestoreTool } from './restoreTool';
export { chooseSurvivor, findSurvivor } from './survivor';
export type { Survivor } from './survivor';
export { emptySnapshot } from './emptySnapshot';
