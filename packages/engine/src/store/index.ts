export type { BackupStore, StoredFile } from './BackupStore';
export { openFilesystemStore } from './filesystemStore';
export { keyParts } from './storeKey';
export { Reading } from './writeAll';
