import { constants, Stats } from 'node:fs';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException)?.code;
}

export async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) {
      return undefined;
    }
    throw error;
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') {
      throw error;
    }
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/**
 * Gives a finished file its name; durable when it resolves, nothing there when it rejects. A link never replaces a file,
 * as a rename would.
 */
export async function nameFile(part: string, path: string): Promise<void> {
  await link(part, path);
  try {
    await unlink(part);
    await syncDirectory(dirname(path));
  } catch (error) {
    await unlinkIfThere(path);
    throw error;
  }
}
