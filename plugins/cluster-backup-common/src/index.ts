/**
 * Words that the portal's two sides share about cluster backups.
 *
 * @packageDocumentation
 */
export * from './clusterEntity';
export * from './ClusterBackupApi';
export * from './ClusterBackupClient';
export * from './permissions';
export * from './restoreCommand';
export * from './types';
