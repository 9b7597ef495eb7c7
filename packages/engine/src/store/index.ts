export type { BackupStore, StoredFile } from './BackupStore';
export { openFileStore } from './fileStore';
export { openFilesystemStore } from './filesystemStore';
export { keyParts } from './storeKey';
export { Reading } from './writeAll';
