import { ClusterBackupError, NOTHING_CHANGED } from '../errors';
import { generateAgeKey } from './encryption';
import { writeSecretFile } from './secretFile';

/**
 * Makes a new age identity in a new file, as age-keygen does: mode 0600 from its first byte.
 *
 * @returns its recipient
 * @throws ClusterBackupError `identity-exists`, `identity-unwritable`
 * @public
 */
export async function createIdentityFile(path: string): Promise<string> {
  const { identity, recipient } = await generateAgeKey();
  try {
    await writeSecretFile(
      path,
      `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity}\n`,
    );
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') {
      throw new ClusterBackupError({
        code: 'identity-exists',
        message: `There is a file at ${path} already.`,
        state:
          'It was left as it is: an identity that is overwritten opens nothing any more.',
        remedy: 'Choose another path for the new one.',
        details: { path },
      });
    }
    throw new ClusterBackupError({
      code: 'identity-unwritable',
      message: `No identity can be written to ${path} (${code}).`,
      state: NOTHING_CHANGED,
      remedy: 'Choose a path in a folder that is there and may be written to.',
      details: { path },
    });
  }
  return recipient;
}
