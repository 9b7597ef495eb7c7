import { inspect } from 'node:util';
import { ClusterBackupError } from '@cluster-backup/engine';
import { Stage } from './stage';

/**
 * What an operation fails with. It must tell what, where, what state things are in and what to do, and no secret.
 */
export async function failureOf(
  operation: Promise<unknown>,
  { identity, cluster }: Stage,
): Promise<ClusterBackupError> {
  const outcome = await operation.then(
    result => ({ result }),
    error => ({ error }),
  );
  if (!('error' in outcome)) {
    throw new Error(`It succeeded: ${inspect(outcome.result, { depth: 1 })}`);
  }
  const { error } = outcome;
  if (!(error instanceof ClusterBackupError)) throw error;
  expect(error.code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  for (const part of [error.message, error.state, error.remedy]) {
    expect(part.trim()).not.toBe('');
    expect(part).not.toMatch(/undefined|\[object|NaN|^\s*at .*:\d+:\d+/m);
  }
  const told = [
    JSON.stringify(error),
    error.message,
    error.state,
    error.remedy,
    inspect(error.details, { depth: 10 }),
  ].join('\n');
  expect(told).not.toContain(identity);
  expect(told).not.toContain('PRIVATE KEY');
  for (const { privateKey } of cluster.controlPlane) {
    const [, secret] = privateKey.trim().split('\n').slice(0, -1);
    expect(told).not.toContain(secret);
  }
  return error;
}
