import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIdentities } from './encryption';
import { createIdentityFile } from './identityFile';
import { runTool, withDirectory } from './__testUtils__/tools';

describe('an identity file', () => {
  it('is as age-keygen makes it, and for nobody else to read', async () => {
    await withDirectory(async directory => {
      const path = join(directory, 'identity.txt');
      const before = process.umask(0);
      try {
        const recipient = await createIdentityFile(path);
        expect((await stat(path)).mode & 0o777).toBe(0o600);
        expect(parseIdentities(await readFile(path, 'utf8'))).toHaveLength(1);
        const told = await runTool('age-keygen', ['-y', path]);
        expect(told.stdout.toString()).toBe(`${recipient}\n`);
      } finally {
        process.umask(before);
      }
    });
  });

  it('is never overwritten, and said where it cannot be', async () => {
    await withDirectory(async directory => {
      const path = join(directory, 'identity.txt');
      await writeFile(path, 'what opens everything');
      await expect(createIdentityFile(path)).rejects.toMatchObject({
        code: 'identity-exists',
      });
      expect(await readFile(path, 'utf8')).toBe('what opens everything');
      await expect(
        createIdentityFile(join(directory, 'none', 'identity.txt')),
      ).rejects.toMatchObject({ code: 'identity-unwritable' });
    });
  });
});
