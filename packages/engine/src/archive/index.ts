export {
  archiveForm,
  archiveName,
  chosenArchiveName,
  parseArchiveName,
  refuseUnsafeName,
} from './archiveName';
export type { ArchiveForm } from './archiveName';
export { challengeRecipient, isAnswer } from './challenge';
export type { Challenge } from './challenge';
export type { Compression } from './compression';
export type { Checksums, EntryChecksum, SnapshotFacts } from './checksums';
export type {
  DescribedGcpKey,
  DescribedKeys,
  DescribedNode,
  DescribedWorker,
  Description,
  ManagedCluster,
  Reservation,
} from './description';
export { generateAgeKey, parseIdentities, recipientsOf } from './encryption';
export type { ArchiveKeys } from './encryption';
export type { NodeFileHeader } from './entries';
export { createIdentityFile } from './identityFile';
export { readArchive } from './reader';
export type { ArchiveProof, ArchiveVisitor } from './reader';
export {
  createSigningKeyFile,
  keyFingerprint,
  loadSigningKeyFile,
  parseSigningKey,
} from './signing';
export { encodeSummary, summaryName, verifySummary } from './summary';
export type { ArchiveSummary } from './summary';
export type { TarHeader } from './tar';
export { createArchive, formOf } from './writer';
export type { ArchiveWriter, Packing } from './writer';
