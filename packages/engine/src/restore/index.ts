export {
  compareObjects,
  createMissingObjects,
  putBackSecrets,
} from './putBackObjects';
export type { PutBackResult } from './putBackObjects';
export { decisionOf, OVERRIDABLE } from './decision';
export type { Decision } from './decision';
export { EXPIRE_AFTER_DAYS } from './plan';
export {
  findUnfinishedRestore,
  restoreCluster,
  resumeRestore,
  TAKEN_BACK,
  undoRestore,
} from './restoreCluster';
export type {
  ArchiveSource,
  RestoreOptions,
  RestoreResult,
  UnfinishedRestore,
} from './restoreCluster';
export { assessCluster } from './assessCluster';
export type { Advice, Assessment } from './assessCluster';
export { restoresOnRecord } from './restoresOnRecord';
export type { RestoreOnRecord, RestoresReport } from './restoresOnRecord';
export { acceptOlderRestores, acceptRestore, keptData } from './keptData';
export type { KeptData, KeptReport } from './keptData';
export type { SafetyBackup } from './safetyBackup';
export type {
  Answered,
  NodePlan,
  Plan,
  RestoreOrigin,
  VerifiedArchive,
} from './plan';
export type { Boundary } from './Step';
export { describedAccess } from './describedAccess';
export type { SshLogin } from './describedAccess';
export { mintKubeconfig } from './mintKubeconfig';
export type { MintedKubeconfig } from './mintKubeconfig';
export { whatNext } from './whatNext';
