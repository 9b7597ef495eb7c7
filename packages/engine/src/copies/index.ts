export type { Copy } from './Copy';
export { copyBackup } from './copyBackup';
export { findArchives, findUnrecorded, sweepStore } from './findBackups';
export type { FoundArchive, FoundBackup } from './findBackups';
export {
  findHolds,
  holdBackup,
  refuseHeld,
  releaseBackup,
  UNKNOWN_HOLDER,
} from './holds';
export type { FoundHold, Hold } from './holds';
export {
  commitCopies,
  copyOf,
  isAnywhere,
  openCopies,
  proveCopies,
  refuseWithoutCopy,
  removeCopies,
  writeCopies,
} from './makeCopies';
export type { CopyInMaking, SpoolPlace, StoreToOpen } from './makeCopies';
export { openOneCopy } from './openCopy';
export { removeBackup } from './removeBackup';
export { readSummary, refuseMisplaced } from './readSummary';
export { verifyCopy } from './verifyCopy';
export type { Depth } from './verifyCopy';
