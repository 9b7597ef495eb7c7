/**
 * Backs up and restores the control planes of clusters in the catalog.
 *
 * @packageDocumentation
 */
export { clusterBackupPlugin as default } from './plugin';
