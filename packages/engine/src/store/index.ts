export type { BackupStore, StoredFile } from './BackupStore';
export { openFileStore } from './fileStore';
export { openFilesystemStore } from './filesystemStore';
export { throughDisk } from './spool';
export type { Spooled } from './spool';
export { keyParts } from './storeKey';
export { Reading } from './writeAll';
