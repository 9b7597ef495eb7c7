/**
 * The Backup tab of clusters, for Backstage's new frontend system.
 *
 * @packageDocumentation
 */
export { clusterBackupPlugin as default } from './plugin';
export { clusterBackupApiRef } from './api/clusterBackupApiRef';
export { clusterBackupTranslationRef } from './translation';
