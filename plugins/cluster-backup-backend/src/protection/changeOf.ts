import { ClusterProtection } from '@cluster-backup/backstage-plugin-cluster-backup-common';
import { Known } from '../database/KnownProtection';

/** What is different with a cluster's protection since its owners heard of it. */
export interface ProtectionChange {
  isWorse: boolean;
  /** Codes of reasons that were not there. */
  added: string[];
  /** Codes of those that are there no more. */
  gone: string[];
}

const RANK = ['protected', 'at-risk', 'unprotected'];

/** Nothing where its owners know all of it. */
export function changeOf(
  known: Known,
  { level, reasons }: ClusterProtection,
): ProtectionChange | undefined {
  const codes = codesOf(reasons);
  const added = codes.filter(code => !known.codes.includes(code));
  const gone = known.codes.filter(code => !codes.includes(code));
  if (!added.length && !gone.length) return undefined;
  const isBetter = RANK.indexOf(level) < RANK.indexOf(known.level);
  return { isWorse: added.length > 0 && !isBetter, added, gone };
}

export function codesOf(reasons: ClusterProtection['reasons']): string[] {
  return [...new Set(reasons.map(({ code }) => code))].sort();
}
