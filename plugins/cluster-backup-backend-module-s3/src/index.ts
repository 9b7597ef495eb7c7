/**
 * Keeps cluster backups in S3 and stores that speak its protocol.
 *
 * @packageDocumentation
 */
export { clusterBackupModuleS3 as default } from './module';
