export { retain } from './retain';
export type { RetainableBackup } from './RetainableBackup';
export type { RetentionRule } from './RetentionRule';
export type { Keeper, RetentionVerdict } from './RetentionVerdict';
