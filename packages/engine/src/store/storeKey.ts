import { ClusterBackupError, NOTHING_CHANGED } from '../errors';

const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;
const MAX_KEY = 1000;

/** Whether a name may stand between the slashes of a key. */
export function isKeyPart(name: string): boolean {
  return PART.test(name);
}

/**
 * The parts of a key, none of which is hidden or leads anywhere but down.
 *
 * @throws ClusterBackupError `store-key-invalid`
 * @public
 */
export function keyParts(key: string): string[] {
  const parts = key.split('/');
  if (key.length > MAX_KEY || !parts.every(isKeyPart)) {
    throw new ClusterBackupError({
      code: 'store-key-invalid',
      message: `${JSON.stringify(
        key.slice(0, MAX_KEY),
      )} is no name for a stored file.`,
      state: NOTHING_CHANGED,
      remedy:
        'Use NAMESPACE/NAME/FILE of letters, digits and . _ - where no part begins with a dot.',
    });
  }
  return parts;
}
