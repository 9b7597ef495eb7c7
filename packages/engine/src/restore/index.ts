export {
  compareObjects,
  createMissingObjects,
  putBackSecrets,
} from './putBackObjects';
export type { PutBackResult } from './putBackObjects';
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
export type { SafetyBackup } from './safetyBackup';
export type { Plan, NodePlan, VerifiedArchive, Answered } from './plan';
export type { Boundary } from './Step';
