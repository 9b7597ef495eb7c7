import { open } from 'node:fs/promises';

/** Writes a file that is not there yet, mode 0600 from its first byte. Fails with EEXIST where it is. */
export async function writeSecretFile(
  path: string,
  text: string,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}
