export type { BackupStore, StoredFile } from './BackupStore';
export { openFilesystemStore } from './filesystemStore';
