export * from './errors';
export type { WrittenReason } from './reason';
export * from './progress';
export * from './version';
export * from './garbage';
export * from './machine';
export * from './cluster';
export {
  compareManaged,
  gdcSecrets,
  GOOGLE_TOKEN_URL,
  managingServer,
  readGdcCluster,
  readManagedClusters,
} from './gdc';
export type {
  ComparedCluster,
  DifferingObject,
  GdcAccess,
  GdcCluster,
  GdcType,
  KubernetesObject,
  ManagedChange,
  SecretName,
} from './gdc';
export * from './layout';
export type { DataAtRest, EtcdMember, MemberStatus, Survivor } from './etcd';
export { connectMember } from './etcd';
export * from './kubernetes';
export * from './pki';
export * from './archive';
export * from './store';
export type {
  Copy,
  Depth,
  FoundArchive,
  FoundBackup,
  FoundHold,
  Hold,
  SpoolPlace,
  StoreToOpen,
} from './copies';
export {
  copyBackup,
  findArchives,
  findHolds,
  findUnrecorded,
  holdBackup,
  readSummary,
  refuseHeld,
  refuseMisplaced,
  releaseBackup,
  removeBackup,
  sweepStore,
  UNKNOWN_HOLDER,
  verifyCopy,
} from './copies';
export * from './checks';
export * from './backup';
export * from './restore';
export * from './configuration';
export { writeRunbook } from './runbook';
export type { RunbookBackup, RunbookFacts } from './runbook';
export { retain } from './retention';
export type {
  Keeper,
  RetainableBackup,
  RetentionRule,
  RetentionVerdict,
} from './retention';
