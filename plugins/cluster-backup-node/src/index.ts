/**
 * What modules may plug into the cluster backup backend.
 *
 * @packageDocumentation
 */
export * from './storeTypes';
